//! A run as a report that CI shows like those of tests: a suite for each phase, a case for each step on each host.

use buedafab_model::spans::{RunSpans, Span, SpanKind, SpanResult};
use jiff::Timestamp;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report of these runs, as XML.
///
/// # Errors
///
/// It can't be written as XML.
pub fn junit(runs: &[RunSpans]) -> Result<String, String> {
    let name = runs
        .last()
        .map_or_else(String::new, |run| format!("{} {}: {}", run.unit, run.environment, run.headline));
    let mut report = Report::new(name);
    for run in runs {
        let whole = &run.spans[0];
        report.set_time(since(whole));
        for (index, phase) in run.spans.iter().enumerate() {
            if phase.kind == SpanKind::Phase {
                report.add_test_suite(suite(run, index, phase));
            }
        }
        // What has no phase: a run that was refused, and hosts that can't be reached.
        let mut alone = TestSuite::new(run.command.clone());
        for span in &run.spans {
            let is_case = match span.kind {
                SpanKind::Run => matches!(span.result, SpanResult::Bad(_) | SpanResult::Cancelled),
                SpanKind::Connection { .. } => true,
                _ => false,
            };
            if is_case {
                alone.add_test_case(case(run, span));
            }
        }
        if alone.test_cases.iter().len() > 0 {
            report.add_test_suite(alone);
        }
    }
    report.to_string().map_err(|error| error.to_string())
}

fn suite(run: &RunSpans, index: usize, phase: &Span) -> TestSuite {
    let mut suite = TestSuite::new(phase.name.clone());
    suite.set_time(since(phase));
    let is_inside = |span: &&Span| {
        let host = span.parent.map(|host| &run.spans[host]);
        matches!(span.kind, SpanKind::Step { .. }) && host.is_some_and(|host| host.parent == Some(index))
    };
    for step in run.spans.iter().filter(is_inside) {
        suite.add_test_case(case(run, step));
    }
    suite
}

fn case(run: &RunSpans, span: &Span) -> TestCase {
    let status = match &span.result {
        SpanResult::Good => TestCaseStatus::success(),
        SpanResult::Bad(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why.clone());
            status
        }
        SpanResult::Cancelled | SpanResult::Open => TestCaseStatus::skipped(),
    };
    let mut case = TestCase::new(span.name.clone(), status);
    let host = match &span.kind {
        SpanKind::Step { host, .. } | SpanKind::Connection { host, .. } | SpanKind::Host(host) => {
            host.clone()
        }
        SpanKind::Run | SpanKind::Phase => run.unit.to_string(),
    };
    case.set_classname(host);
    case.set_time(since(span));
    case
}

fn since(span: &Span) -> std::time::Duration {
    between(span.start, span.end)
}

fn between(start: Timestamp, end: Timestamp) -> std::time::Duration {
    end.duration_since(start).try_into().unwrap_or_default()
}
