//! The words of `validate`, `plan`, `apply` and what undoes them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Choice;

/// The form of `validate`'s findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Text with snippets.
    #[default]
    Human,
    /// JSON.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// GitHub workflow annotations.
    Github,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// The form of the findings.
    #[arg(long, value_enum, default_value_t)]
    pub output: Form,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Which targets.
    #[command(flatten)]
    pub choice: Choice,
    /// The form in which it is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: super::PlanForm,
    /// Also write a report in another form; may be said several times.
    #[arg(long, value_name = "FORM=FILE")]
    pub report: Vec<super::ReportFile>,
    /// Also write the plan as JSON, for `apply PLAN.json`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when something would change.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Which targets. A name that ends in `.json` is a plan written by `plan --out`: rocade plans again and
    /// refuses when the result is another.
    #[command(flatten)]
    pub choice: Choice,
    /// Do these without asking: create, update, delete, all (comma-separated).
    #[arg(long, value_name = "ACTIONS")]
    pub approve: Option<crate::plan::Approval>,
    /// Refuse a plan with more deletes.
    #[arg(long, value_name = "N")]
    pub max_delete: Option<usize>,
    /// Do everything without asking.
    #[arg(short, long)]
    pub yes: bool,
    /// Keep what was done on a target of which a change failed, instead of putting it back.
    #[arg(long)]
    pub no_rollback: bool,
    /// How long a change that could cut us off waits for its confirmation before the target puts it back.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub confirm_within: u32,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// Which targets.
    #[command(flatten)]
    pub choice: Choice,
    /// The apply, as its own words and an earlier `rollback` name it; the last one when absent. What later
    /// applies did is undone too.
    #[arg(long, value_name = "APPLY")]
    pub to: Option<String>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// `lock`.
#[derive(Debug, Subcommand)]
pub enum Lock {
    /// Show who holds the locks.
    Show(Choice),
    /// Take the lock of a host away from whoever holds it.
    Break {
        /// The host.
        name: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}
