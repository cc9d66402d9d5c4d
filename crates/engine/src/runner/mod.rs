//! The runner: the small program at the far end of a connection, and how to talk to it.

mod protocol;

use buedafab_model::shell::{quote, without_comments, words_for_printf};

pub use protocol::{Chunk, Decoder, LineBuffer, Message};

const SOURCE: &str = include_str!("runner.sh");

/// How a runner is to behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerOptions {
    /// What marks its hello in the stream; letters and digits. Everybody on the host can read it.
    pub greeting: String,
    /// After how many seconds of silence it takes its deployer for dead.
    pub lost_after_seconds: u32,
    /// For how many seconds it stays switched without a `confirm`.
    pub confirm_timeout_seconds: u32,
    /// How long a step may run when no deployer is there to end it, in seconds.
    pub step_timeout_seconds: u32,
}

/// The one command that starts a runner under any login shell, with the first phase inside it.
pub fn bootstrap(options: &RunnerOptions, first_phase: &str) -> String {
    let RunnerOptions { greeting, lost_after_seconds, confirm_timeout_seconds, step_timeout_seconds } =
        options;
    let program = format!(
        "greeting={greeting} lost_after={lost_after_seconds} confirm_timeout={confirm_timeout_seconds} \
         step_timeout={step_timeout_seconds}\nfirst_phase={}\n{}",
        quote(first_phase),
        shortened(SOURCE)
    );
    one_command(&program)
}

/// A command that runs any program for `sh` under any login shell. It needs nothing from standard input, which a
/// `.bashrc` may have eaten from, and no tool: `printf` is the shell's own.
pub(crate) fn one_command(program: &str) -> String {
    format!("exec sh -c 'eval \"$(printf %b \"$@\")\"' buedafab {}", words_for_printf(program))
}

/// The same program in fewer bytes: none of its lines stands for itself.
fn shortened(source: &str) -> String {
    without_comments(source).lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}
