//! Traces of runs, sent once they are over: OTLP over HTTP, as protobuf. No thread of an SDK waits for them.

use std::time::Duration;

use buedafab_model::run::outcome::Verdict;
use buedafab_model::spans::{
    OtlpError, OtlpSettings, RunSpans, Span as RunSpan, SpanKind, SpanResult, TraceContext,
};
use bytes::Bytes;
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as OtlpKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use crate::http::{Bounds, send};

/// Where traces go, as the environment says.
///
/// # Errors
///
/// It asks for what can't be done.
pub fn otlp_settings() -> Result<Option<OtlpSettings>, OtlpError> {
    OtlpSettings::of(|name| std::env::var(name).ok())
}

/// Sends the traces of these runs.
///
/// # Errors
///
/// Why they may not have arrived, in words, without a header.
pub async fn send_traces(settings: &OtlpSettings, runs: &[RunSpans]) -> Result<(), String> {
    let mut request = ::http::Request::post(&settings.endpoint)
        .header("Content-Type", "application/x-protobuf")
        .header("User-Agent", concat!("OTel-OTLP-Exporter-buedafab/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &settings.headers {
        request = request.header(name, value);
    }
    let body = Bytes::from(message(settings, runs).encode_to_vec());
    let request =
        request.body(body).map_err(|_| "its address or a header isn't one that can be sent".to_owned())?;
    let all = Duration::from_millis(settings.timeout_milliseconds.max(1));
    let response = send(request, Bounds { answer: all, all, largest: 1 << 20 }).await?;
    match response.status().as_u16() {
        200..=299 => Ok(()),
        status => Err(format!("it answers {status}")),
    }
}

/// What is sent.
fn message(settings: &OtlpSettings, runs: &[RunSpans]) -> ExportTraceServiceRequest {
    let mut attributes: Vec<KeyValue> =
        settings.resource.iter().map(|(key, value)| text(key, value)).collect();
    if !settings.resource.iter().any(|(key, _)| key == "service.version") {
        attributes.push(text("service.version", env!("CARGO_PKG_VERSION")));
    }
    let scope = InstrumentationScope {
        name: "buedafab".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = runs.iter().flat_map(|run| spans_of(settings, run)).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: SCHEMA.to_owned() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url: SCHEMA.to_owned() }],
    }
}

/// The semantic conventions that names are taken from.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

fn spans_of(settings: &OtlpSettings, run: &RunSpans) -> Vec<Span> {
    let context = TraceContext::of(&run.run, &run.by, settings.parent.as_ref());
    let trace = context.trace().to_vec();
    let ids = ids_of(&context, run);
    let span = |(index, span): (usize, &RunSpan)| {
        let outer = settings.parent.as_ref().map_or_else(Vec::new, |parent| parent.span.to_vec());
        let parent_span_id = span.parent.map_or(outer, |parent| ids[parent].clone());
        let (code, message) = match &span.result {
            SpanResult::Bad(why) => (StatusCode::Error, why.clone()),
            SpanResult::Cancelled | SpanResult::Open => (StatusCode::Error, "cancelled".to_owned()),
            SpanResult::Good => (StatusCode::Unset, String::new()),
        };
        let is_run = span.kind == SpanKind::Run;
        Span {
            trace_id: trace.clone(),
            span_id: ids[index].clone(),
            parent_span_id,
            trace_state: settings.parent.as_ref().map_or_else(String::new, |parent| parent.state.clone()),
            name: if is_run { format!("RUN {}", run.command) } else { span.name.clone() },
            kind: if is_run { OtlpKind::Server } else { OtlpKind::Internal }.into(),
            start_time_unix_nano: nanoseconds(span.start),
            end_time_unix_nano: nanoseconds(span.end),
            attributes: attributes(run, span),
            status: Some(Status { message, code: code.into() }),
            // Sampled.
            flags: 1,
            ..Span::default()
        }
    };
    run.spans.iter().enumerate().map(span).collect()
}

/// The ids of all spans. A step's own processes may have been told its.
fn ids_of(context: &TraceContext, run: &RunSpans) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> = Vec::new();
    for span in &run.spans {
        let known = match &span.kind {
            SpanKind::Run => Some(context.run_span()),
            SpanKind::Step { host: _, step } => Some(context.step_span(*step)),
            SpanKind::Phase | SpanKind::Host(_) | SpanKind::Connection { .. } => None,
        };
        // What stands in no plan has no number of its own.
        let known = known.map(Vec::from).filter(|id| !ids.contains(id));
        ids.push(known.unwrap_or_else(random::<8>));
    }
    ids
}

/// What the semantic conventions have names for.
fn attributes(run: &RunSpans, span: &RunSpan) -> Vec<KeyValue> {
    let result = match &span.result {
        SpanResult::Good => "success",
        SpanResult::Bad(_) => "failure",
        SpanResult::Cancelled | SpanResult::Open => "cancellation",
    };
    let mut all = vec![text("deployment.environment.name", run.environment.as_str())];
    match &span.kind {
        SpanKind::Run => {
            let result = match run.verdict {
                Some(Verdict::Refused | Verdict::Locked) => "skip",
                Some(Verdict::Mixed) => "error",
                _ => result,
            };
            all.extend([
                text("cicd.pipeline.name", &format!("{} {}", run.unit, run.command)),
                text("cicd.pipeline.action.name", "RUN"),
                text("cicd.pipeline.run.id", run.run.as_str()),
                text("cicd.pipeline.result", result),
                text("deployment.name", &run.headline),
                text("deployment.id", run.run.as_str()),
                text("buedafab.by", &run.by),
                text("buedafab.unit", run.unit.as_str()),
            ]);
            if let Some(to) = &run.to {
                all.push(text("vcs.ref.head.revision", to.commit.as_str()));
                all.push(text("vcs.ref.head.name", &to.describe));
            }
        }
        SpanKind::Phase => all.push(text("cicd.pipeline.task.name", &span.name)),
        SpanKind::Host(host) => all.push(text("host.name", host)),
        SpanKind::Step { host, step } => all.extend([
            text("host.name", host),
            text("cicd.pipeline.task.name", &span.name),
            text("cicd.pipeline.task.run.id", &format!("{}-{step}", run.run)),
            text("cicd.pipeline.task.run.result", result),
        ]),
        SpanKind::Connection { host, warm } => {
            all.push(text("host.name", host));
            all.push(KeyValue {
                key: "buedafab.warm".to_owned(),
                value: Some(AnyValue { value: Some(Value::BoolValue(*warm)) }),
                ..KeyValue::default()
            });
        }
    }
    all
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// An id; one that is all zeroes would count as none.
fn random<const N: usize>() -> Vec<u8> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel has random numbers");
    bytes[0] |= 1;
    bytes.to_vec()
}

fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use buedafab_model::run::log::RunLog;
    use buedafab_model::spans::Spans;
    use buedafab_testkit::{HttpAnswer, HttpServer};

    use super::*;
    use crate::junit::junit;

    const RUN: &str = r#"{"at":"2026-11-23T20:32:20Z","event":"run_started","run":"20261123-203221-ie2d","command":"deploy","by":"ada@laptop","unit":"five","environment":"production","hosts":["web1"]}
{"at":"2026-11-23T20:32:21Z","event":"connected","host":"web1","warm":false,"milliseconds":700}
{"at":"2026-11-23T20:32:22Z","event":"work_started","headline":"deploy v0.2.0 (5ed17b1b2b)","by":"ada@laptop","intent":"deploy","changes":[{"host":"web1","from":null,"to":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}}],"phases":[],"steps":[["web1",2]]}
{"at":"2026-11-23T20:32:24.5Z","event":"phase_started","phase":"prepare"}
{"at":"2026-11-23T20:32:24.6Z","event":"step_started","host":"web1","step":2,"title":"fetch 5ed17b1b2b into b"}
{"at":"2026-11-23T20:32:25Z","event":"step_ended","host":"web1","step":2,"status":0,"milliseconds":400}
{"at":"2026-11-23T20:32:26Z","event":"step_failed","host":"web1","step":3,"title":"check: ./selftest <&>","what":{"kind":"exited","status":1}}
{"at":"2026-11-23T20:32:27Z","event":"run_ended","verdict":"failed_before","hosts":[],"failures":[],"exit_code":7,"milliseconds":7000}"#;

    fn runs() -> Vec<RunSpans> {
        let mut spans = Spans::default();
        RunLog::parse(RUN).events.iter().for_each(|event| spans.note(event));
        spans.take()
    }

    fn settings(url: &str, parent: Option<&str>) -> OtlpSettings {
        let read = OtlpSettings::of(|name| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(url.to_owned()),
            "OTEL_EXPORTER_OTLP_HEADERS" => Some("authorization=Bearer%20hunter2".to_owned()),
            "OTEL_EXPORTER_OTLP_TIMEOUT" => Some("500".to_owned()),
            "TRACEPARENT" => parent.map(str::to_owned),
            _ => None,
        });
        read.expect("it can be done").expect("an address is set")
    }

    #[tokio::test]
    async fn a_receiver_gets_the_run_as_spans() {
        let server = HttpServer::start(|_| HttpAnswer::Says(200, String::new(), String::new()));
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        send_traces(&settings(&server.url(), Some(parent)), &runs()).await.expect("it is taken");
        let request = server.take().remove(0);
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/traces"));
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(request.header("authorization"), Some("Bearer hunter2"));
        let decoded = ExportTraceServiceRequest::decode(&request.body[..]).expect("it is protobuf");
        insta::assert_snapshot!(shown(&decoded), @"
        resource
          service.name: buedafab
          service.version: 0.1.0
        RUN deploy in b7ad6b7169203331, 7000 ms, Error failed before the switch
          deployment.environment.name: production
          cicd.pipeline.name: five deploy
          cicd.pipeline.action.name: RUN
          cicd.pipeline.run.id: 20261123-203221-ie2d
          cicd.pipeline.result: failure
          deployment.name: deploy v0.2.0 (5ed17b1b2b)
          deployment.id: 20261123-203221-ie2d
          buedafab.by: ada@laptop
          buedafab.unit: five
          vcs.ref.head.revision: 5ed17b1b2bb7bae1ea611c84ada59cb77d77b850
          vcs.ref.head.name: v0.2.0
        connect to web1 in RUN deploy, 700 ms, Unset 
          deployment.environment.name: production
          host.name: web1
          buedafab.warm: Some(BoolValue(false))
        prepare in RUN deploy, 2500 ms, Error web1: check: ./selftest <&>: exit status 1
          deployment.environment.name: production
          cicd.pipeline.task.name: prepare
        web1 in prepare, 1400 ms, Error check: ./selftest <&>: exit status 1
          deployment.environment.name: production
          host.name: web1
        fetch 5ed17b1b2b into b in web1, 400 ms, Unset 
          deployment.environment.name: production
          host.name: web1
          cicd.pipeline.task.name: fetch 5ed17b1b2b into b
          cicd.pipeline.task.run.id: 20261123-203221-ie2d-2
          cicd.pipeline.task.run.result: success
        check: ./selftest <&> in web1, 0 ms, Error exit status 1
          deployment.environment.name: production
          host.name: web1
          cicd.pipeline.task.name: check: ./selftest <&>
          cicd.pipeline.task.run.id: 20261123-203221-ie2d-3
          cicd.pipeline.task.run.result: failure
        ");
        let refuses = HttpServer::start(|_| HttpAnswer::Says(401, String::new(), "hunter2".to_owned()));
        let told = send_traces(&settings(&refuses.url(), None), &runs()).await;
        assert_eq!(told, Err("it answers 401".to_owned()));
        let silent = HttpServer::start(|_| HttpAnswer::Silence);
        let told = send_traces(&settings(&silent.url(), None), &runs()).await;
        assert!(told.is_err_and(|why| why.contains("timeout")));
    }

    fn shown(request: &ExportTraceServiceRequest) -> String {
        let pairs = |attributes: &[KeyValue]| {
            let value = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => text.clone(),
                other => format!("{other:?}"),
            };
            attributes.iter().map(|pair| format!("  {}: {}\n", pair.key, value(pair))).collect::<String>()
        };
        let mut text = String::new();
        for of_resource in &request.resource_spans {
            let resource = of_resource.resource.as_ref().expect("it has one");
            text.push_str(&format!("resource\n{}", pairs(&resource.attributes)));
            let spans: Vec<&Span> = of_resource.scope_spans.iter().flat_map(|scope| &scope.spans).collect();
            for span in &spans {
                assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
                assert_eq!(hex::encode(&span.trace_id), "0af7651916cd43dd8448eb211c80319c");
                let above = spans.iter().find(|other| other.span_id == span.parent_span_id);
                let above =
                    above.map_or_else(|| hex::encode(&span.parent_span_id), |above| above.name.clone());
                let status = span.status.as_ref().expect("it has one");
                let took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1_000_000;
                text.push_str(&format!(
                    "{} in {above}, {took} ms, {:?} {}\n{}",
                    span.name,
                    status.code(),
                    status.message,
                    pairs(&span.attributes)
                ));
            }
        }
        text
    }

    #[test]
    fn a_report_for_ci() {
        insta::assert_snapshot!(junit(&runs()).expect("it can be written"), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="five production: deploy v0.2.0 (5ed17b1b2b)" tests="4" skipped="0" failures="2" errors="0" time="7.000">
            <testsuite name="prepare" tests="2" skipped="0" errors="0" failures="1" time="2.500">
                <testcase name="fetch 5ed17b1b2b into b" classname="web1" time="0.400"/>
                <testcase name="check: ./selftest &lt;&amp;&gt;" classname="web1" time="0.000">
                    <failure message="exit status 1"/>
                </testcase>
            </testsuite>
            <testsuite name="deploy" tests="2" skipped="0" errors="0" failures="1">
                <testcase name="deploy" classname="five" time="7.000">
                    <failure message="failed before the switch"/>
                </testcase>
                <testcase name="connect to web1" classname="web1" time="0.700"/>
            </testsuite>
        </testsuites>
        "#);
    }
}
