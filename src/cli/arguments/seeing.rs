//! The words of `drift`, `history` and `dossier`, and the forms a plan can be told in.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::Choice;

/// The form in which differences are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanForm {
    /// Text, one line an object.
    #[default]
    Human,
    /// JSON.
    Json,
    /// JUnit XML: a test case a target.
    Junit,
    /// SARIF 2.1.0: a result an object, at its line of the inventory.
    Sarif,
    /// GitHub workflow annotations.
    Github,
    /// Markdown for a merge request.
    Markdown,
    /// GitLab's report of type `terraform`, for the widget of a merge request.
    Gitlab,
    /// Prometheus' text format, for node_exporter's textfile collector.
    Prometheus,
}

/// A report beside the result: its form, and the file it goes into.
#[derive(Clone, Debug)]
pub struct ReportFile {
    /// The form.
    pub form: PlanForm,
    /// The file.
    pub file: PathBuf,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, file) = text.split_once('=').ok_or("it is written FORM=FILE, such as junit=plan.xml")?;
        let form = PlanForm::from_str(form, false).map_err(|_| {
            let forms = PlanForm::value_variants().iter().filter_map(PlanForm::to_possible_value);
            let forms: Vec<String> = forms.map(|form| form.get_name().to_owned()).collect();
            format!("there is no form `{form}`; there are {}", forms.join(", "))
        })?;
        if file.is_empty() {
            return Err("the file is missing".to_owned());
        }
        Ok(Self { form, file: PathBuf::from(file) })
    }
}

/// `drift`.
#[derive(Debug, Args)]
pub struct Drift {
    /// Which targets.
    #[command(flatten)]
    pub choice: Choice,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: PlanForm,
    /// Write the result into this file, whole or not at all, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also write a report in another form; may be said several times.
    #[arg(long, value_name = "FORM=FILE")]
    pub report: Vec<ReportFile>,
    /// Only what was changed by hand, or may have been, counts for the exit code.
    #[arg(long)]
    pub by_hand: bool,
}

/// `history`.
#[derive(Debug, Args)]
pub struct History {
    /// Only runs that wrote this target: its name, or kind/name.
    pub name: Option<String>,
    /// At most so many, the newest.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub last: usize,
}

/// `dossier`.
#[derive(Debug, Args)]
pub struct Dossier {
    /// The site.
    pub site: String,
    /// The file; `SITE.html` in the present folder when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Its language.
    #[arg(long, value_enum, default_value_t)]
    pub lang: Tongue,
}

/// Languages of a hand-over file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Tongue {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}
