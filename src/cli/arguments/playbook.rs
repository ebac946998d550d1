//! The words of `playbook`.

use clap::{Args, Subcommand};

use super::shard::shard;
use crate::plan::{Approval, Shard};

/// `playbook`.
#[derive(Debug, Subcommand)]
pub enum Playbook {
    /// The playbooks there are, and where those stand that did not come to their end.
    List,
    /// What a playbook takes and does.
    Show {
        /// The playbook.
        name: String,
    },
    /// Its steps, waves and targets as they are now, and the plan of the first step that applies. Never writes.
    Plan(Given),
    /// Do its steps, one after the other.
    Run(RunBook),
    /// Go on where one stands: a wave that is done is not repeated.
    Resume(Resume),
}

/// A playbook and what it is given.
#[derive(Debug, Args)]
pub struct Given {
    /// The playbook.
    pub name: String,
    /// What it takes, as `playbook show` names it: gateway=pool-gw.
    #[arg(value_name = "NAME=VALUE")]
    pub given: Vec<String>,
    /// One of N shares of the targets of its steps, the K-th; `auto` as the job of GitLab or Kubernetes says.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub shard: Option<Shard>,
}

/// What needs no question.
#[derive(Debug, Args)]
pub struct Consent {
    /// Do these without asking: create, update, delete, all (comma-separated).
    #[arg(long, value_name = "ACTIONS")]
    pub approve: Option<Approval>,
    /// Do everything without asking; `confirm` steps still wait for a person.
    #[arg(short, long)]
    pub yes: bool,
}

/// `playbook run`.
#[derive(Debug, Args)]
pub struct RunBook {
    /// The playbook and what it is given.
    #[command(flatten)]
    pub given: Given,
    /// What needs no question.
    #[command(flatten)]
    pub consent: Consent,
    /// As `playbook plan`.
    #[arg(long)]
    pub dry_run: bool,
    /// Set aside how far an earlier run came.
    #[arg(long)]
    pub anew: bool,
}

/// `playbook resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The playbook; the one that stands somewhere when there is only one.
    pub name: Option<String>,
    /// The share of the targets it was begun with.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// What needs no question.
    #[command(flatten)]
    pub consent: Consent,
    /// The `confirm` step it stands at is so: go on without asking. For that one step.
    #[arg(long)]
    pub confirmed: bool,
    /// Go on although the playbook's file is another than when it was begun.
    #[arg(long)]
    pub changed: bool,
}
