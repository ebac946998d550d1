//! The only prints of the program: data on standard output, words on standard error.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// Colours of the drawing. Stripped by the stream where they are not wanted.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What changes.
pub const CHANGED: Style = AnsiColor::Yellow.on_default();
/// What goes, what failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Headings.
pub const HEAD: Style = Style::new().bold();
/// Side remarks.
pub const DIM: Style = Style::new().dimmed();

/// Prints data on standard output. A closed pipe ends the program quietly, as for any filter.
pub fn data(text: &str) {
    let mut stream = anstream::stdout().lock();
    let ending = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    if write!(stream, "{text}{ending}").and_then(|()| stream.flush()).is_err() {
        std::process::exit(i32::from(super::exit::Exit::Failed.code()));
    }
}

/// A number with its word: `1 error`, `2 errors`.
pub fn count(number: usize, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {word}{ending}")
}

/// Whether words on standard error are coloured.
pub fn in_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Prints bytes on standard output as they are.
pub fn bytes(bytes: &[u8]) {
    let mut stream = std::io::stdout().lock();
    if stream.write_all(bytes).and_then(|()| stream.flush()).is_err() {
        std::process::exit(i32::from(super::exit::Exit::Failed.code()));
    }
}

/// Prints words for the person on standard error.
pub fn word(text: &str) {
    let mut stream = anstream::stderr().lock();
    let ending = if text.ends_with('\n') { "" } else { "\n" };
    // Nobody is left to be told when standard error is gone.
    let _ = write!(stream, "{text}{ending}");
}

/// Prints an error: what was attempted, the chain of causes, what to do.
pub fn error(fault: &anyhow::Error) {
    let mut text = format!("{BAD}error:{BAD:#} {fault}");
    let mut said = fault.to_string();
    for cause in fault.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            text.push_str(&format!("\n  caused by: {cause}"));
            said = cause;
        }
    }
    word(&text);
}

/// Prints what to do.
pub fn hint(text: &str) {
    word(&format!("{DIM}hint:{DIM:#} {text}"));
}

/// Whether a person can be asked.
pub fn can_ask(no_input: bool) -> bool {
    !no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question; only `yes` (or `y`) is a yes. The end of the input is a no.
pub fn confirm(question: &str) -> bool {
    let mut stream = anstream::stderr().lock();
    let _ = write!(stream, "{HEAD}{question}{HEAD:#} [y/N] ");
    let _ = stream.flush();
    // Whoever hears Ctrl-C meanwhile has something to say.
    drop(stream);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
