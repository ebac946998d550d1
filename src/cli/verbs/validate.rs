//! `validate`: form, references, lint. Offline.

use crate::cli::arguments::{Form, Validate};
use crate::cli::{Arguments, Exit, say};
use crate::inventory::{self, Diagnostic, Severity, Sources, report};

pub fn run(arguments: &Arguments, verb: &Validate) -> anyhow::Result<Exit> {
    let (mut diagnostics, mut sources, inventory) = match inventory::load(&arguments.directory) {
        Ok(loaded) => (loaded.warnings, loaded.sources, Some(loaded.inventory)),
        Err(report) => (report.diagnostics, report.sources, None),
    };
    // Without an inventory that holds, playbooks are read for their form.
    let books = inventory::playbook::load(&arguments.directory, inventory.as_ref());
    diagnostics.extend(books.diagnostics);
    sources.extend(books.sources);
    let form = if arguments.json { Form::Json } else { verb.output };
    draw(form, &diagnostics, &sources);
    let refused = diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if refused { Exit::Usage } else { Exit::Done })
}

fn draw(form: Form, diagnostics: &[Diagnostic], sources: &Sources) {
    match form {
        Form::Human => {
            if !diagnostics.is_empty() {
                say::word(&report::human(diagnostics, sources, say::in_colour()));
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
