//! `validate`: form, references, lint, and who can read the secrets. Offline.

use crate::cli::arguments::{Form, Validate};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::inventory::{self, Diagnostic, Severity, Sources, report};
use crate::repository;
use crate::secrets::{Finding, Store};

pub fn run(arguments: &Arguments, verb: &Validate) -> anyhow::Result<Exit> {
    let (mut diagnostics, mut sources, inventory) = match inventory::load(&arguments.directory) {
        Ok(loaded) => (loaded.warnings, loaded.sources, Some(loaded.inventory)),
        Err(report) => (report.diagnostics, report.sources, None),
    };
    // Without an inventory that holds, playbooks are read for their form.
    let books = inventory::playbook::load(&arguments.directory, inventory.as_ref());
    diagnostics.extend(books.diagnostics);
    sources.extend(books.sources);
    diagnostics.extend(secrets_policy(arguments, &mut sources));
    let form = if arguments.json { Form::Json } else { verb.output };
    draw(form, &diagnostics, &sources);
    let refused = diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if refused { Exit::Usage } else { Exit::Done })
}

/// How many values `validate` opens to see whom they are encrypted to; `secrets check` opens all.
const OPENED: usize = 2000;

/// Whether the secrets are encrypted to those who should read them, and whether what leavers know was changed.
fn secrets_policy(arguments: &Arguments, sources: &mut Sources) -> Vec<Diagnostic> {
    let findings = Store::open(&arguments.directory, surroundings::identity(arguments))
        .and_then(|store| store.policy(OPENED));
    let findings = match findings {
        Ok(findings) => findings,
        Err(fault) => return vec![Diagnostic::error("secrets-file", format!("{fault:#}"))],
    };
    findings.iter().map(|finding| diagnostic(arguments, finding, sources)).collect()
}

fn diagnostic(arguments: &Arguments, finding: &Finding, sources: &mut Sources) -> Diagnostic {
    let words = finding.to_string();
    let Some(at) = finding.place() else { return Diagnostic::error(finding.code(), words) };
    // The place is drawn by itself.
    let words = words.strip_prefix(&format!("{at}: ")).map(str::to_owned).unwrap_or(words);
    let mut found = if finding.is_warning() {
        Diagnostic::warning(finding.code(), words)
    } else {
        Diagnostic::error(finding.code(), words)
    };
    if sources.text(&at.file).is_none()
        && let Ok(Some(text)) = repository::read(&arguments.directory.join(&*at.file))
    {
        sources.add(std::sync::Arc::clone(&at.file), shortened(&text));
    }
    let line = u32::try_from(at.line).unwrap_or(u32::MAX);
    let place = inventory::Place { file: std::sync::Arc::clone(&at.file), line, column: 1 };
    found = found.at(&place, "");
    match finding.hint() {
        Some(hint) => found.help(hint),
        None => found,
    }
}

/// A text for snippets: of each ciphertext its beginning, nothing that would be a value in clear.
fn shortened(text: &str) -> String {
    let line = |line: &str| match line.split_once("ENC[") {
        Some((name, _)) => format!("{name}ENC[...]\n"),
        None => format!("{}\n", line.chars().take(120).collect::<String>()),
    };
    text.lines().map(line).collect()
}

fn draw(form: Form, diagnostics: &[Diagnostic], sources: &Sources) {
    match form {
        Form::Human => {
            if !diagnostics.is_empty() {
                say::word(&report::human(diagnostics, sources, say::in_colour()));
                say::hint(&format!(
                    "`rocade explain {}` says more; so for each code in brackets",
                    diagnostics[0].code
                ));
            }
            let errors = diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
            let files = say::count(sources.files().count(), "file");
            match (errors, diagnostics.len() - errors) {
                (0, 0) => say::word(&format!("{}The inventory is good{:#}: {files}.", say::GOOD, say::GOOD)),
                (errors, warnings) => say::word(&format!(
                    "{}, {}.",
                    say::count(errors, "error"),
                    say::count(warnings, "warning")
                )),
            }
        }
        Form::Json => say::data(&report::json(diagnostics, sources)),
        Form::Sarif => say::data(&report::sarif(diagnostics, sources)),
        Form::Junit => say::data(&report::junit(diagnostics, sources)),
        Form::Github => say::data(&report::github(diagnostics, sources)),
    }
}
