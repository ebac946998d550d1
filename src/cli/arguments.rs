//! The words rocade understands. Names of verbs and flags are a promise to scripts.

mod can;
mod complete;
mod explain;
mod fmt;
mod gateway;
mod graph;
mod import;
mod init;
mod lab;
mod pbx;
mod pbx_usage;
mod pki;
mod plan;
mod playbook;
mod report;
mod secrets;
mod seeing;
mod shard;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use can::*;
pub use complete::*;
pub use explain::*;
pub use fmt::*;
pub use gateway::*;
pub use graph::*;
pub use import::*;
pub use init::*;
pub use lab::*;
pub use pbx::*;
pub use pbx_usage::*;
pub use pki::*;
pub use plan::*;
pub use playbook::*;
pub use report::*;
pub use secrets::*;
pub use seeing::*;
use shard::shard;

const EXAMPLES: &str = "\
Examples:
  rocade init site                     a new repository with an example
  rocade validate                      check the inventory, offline
  rocade explain pool-gw.lorawan       what is in force, and which line says so
  rocade plan                          show what would change, change nothing
  rocade plan pool-gw -v               one gateway, every field
  rocade apply                         plan, ask, do
  rocade drift                         what was changed by hand, what in git
  rocade redeploy pool-gw              a gateway from its box to production
  rocade verify                        prove that the chain works
  rocade sensors                       see which sensors are heard
  rocade lab demo                      see all of it on simulated devices";

/// Where the help of every verb lists what every verb takes: after what it alone takes.
const EVERYWHERE: &str = "Options of every verb";

/// Gateways, sensors, brokers, certificates and a 3CX as code.
#[derive(Debug, Parser)]
#[command(name = "rocade", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    /// The inventory repository.
    #[arg(short = 'C', long = "chdir", value_name = "DIR", default_value = ".", global = true)]
    #[arg(help_heading = EVERYWHERE)]
    pub directory: PathBuf,
    /// Machine-readable output on standard output.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Never ask; what would need an answer is refused.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub no_input: bool,
    /// More detail: every field of every change.
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub verbose: bool,
    /// The age identity that opens the secrets.
    #[arg(short = 'i', long, value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub identity: Option<PathBuf>,
    /// No colour.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a new repository with an example site, a git repository and its hook.
    Init(Init),
    /// Check the inventory: form, references, lint. Offline.
    Validate(Validate),
    /// Say what a part of the inventory comes to and which line says so, or what a code of a finding means. Offline.
    Explain(Explain),
    /// Lay YAML out in one way: blanks and empty lines only; what it says, its order and its comments stay. Offline.
    Fmt(Fmt),
    /// Read the targets, compare, show. Never writes.
    Plan(Plan),
    /// Tell what differs from the inventory, and whether it was changed by hand or in git. Never writes.
    Drift(Drift),
    /// Show who applied what, when, and from which commit.
    History(History),
    /// Plan again, ask, carry out, read again.
    Apply(Apply),
    /// Bring a gateway from its box, or from any state, to what the inventory says.
    Redeploy(Redeploy),
    /// Put hosts back to what they were before an apply.
    Rollback(Rollback),
    /// Who is writing on which host.
    #[command(subcommand)]
    Lock(Lock),
    /// Prove by use that what was applied works: handshakes, publishes, refusals, the relay's loop.
    Verify(Choice),
    /// Show which sensors are heard, and what they say of themselves; silent ones first. Never writes.
    Sensors(Sensors),
    /// The certificate authority.
    #[command(subcommand)]
    Pki(Pki),
    /// The secrets.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Pin the SSH host key a target shows.
    Trust(Trust),
    /// Say whether a client of a broker may publish to a topic or read it, and which line grants it. Ends with 0
    /// for yes and 1 for no.
    Can(Can),
    /// Draw the whole, the way of the readings, or the calls through a telephone system, from the inventory.
    Graph(Graph),
    /// Write the hand-over file of a site: equipment, labels, directory, calls, certificates. No secrets.
    Dossier(Dossier),
    /// Say step by step what happens to a call.
    Call(Call),
    /// Make inventory of what is live, or of a list.
    #[command(subcommand)]
    Import(Import),
    /// Write parts of the inventory in the forms of others.
    #[command(subcommand)]
    Export(Export),
    /// A telephone system's Live Chat snippet, backups, list of users, statistics and size.
    #[command(subcommand)]
    Pbx(PbxVerb),
    /// Decode sensors' frames with the relay's own decoders.
    Decode(Decode),
    /// Ordered runbooks of the repository: playbooks/*.yaml.
    #[command(subcommand)]
    Playbook(Playbook),
    /// Results in JSON.
    #[command(subcommand)]
    Report(Report),
    /// Print the JSON Schema of the inventory.
    Schema {
        /// That of a playbook instead.
        #[arg(long)]
        playbook: bool,
    },
    /// Simulated devices.
    #[command(subcommand)]
    Lab(Lab),
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Say what may stand next on a command line; the completion scripts call it.
    #[command(hide = true)]
    Complete(Complete),
    /// Print the manual page, or write one for every verb.
    Man {
        /// A folder to write `rocade.1`, `rocade-plan.1` and so on into.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Which targets.
#[derive(Clone, Debug, Default, Args)]
pub struct Choice {
    /// Targets by name, or kind/name where two kinds share one; all when none is given.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only targets with this label: kind, name, site, model.
    #[arg(long, value_name = "KEY=VALUE")]
    pub only: Vec<String>,
    /// All but this one.
    #[arg(long, value_name = "NAME")]
    pub except: Vec<String>,
    /// One of N shares of these targets, the K-th: for runs on several machines. `auto` takes K and N from the
    /// job of GitLab (CI_NODE_INDEX, CI_NODE_TOTAL) or Kubernetes (JOB_COMPLETION_INDEX, ROCADE_SHARD_TOTAL).
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub shard: Option<crate::plan::Shard>,
}

/// `trust`.
#[derive(Debug, Args)]
pub struct Trust {
    /// The target.
    pub name: String,
    /// The fingerprint it must show, as in the refusal: `SHA256:...`. Without it rocade shows what is
    /// offered and asks.
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<String>,
}
