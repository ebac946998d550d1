//! The words rocade understands. Names of verbs and flags are a promise to scripts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  rocade validate                      check the inventory, offline
  rocade plan                          show what would change, change nothing
  rocade plan pool-gw -v               one gateway, every field
  rocade apply                         plan, ask, do
  rocade redeploy pool-gw              a gateway from its box to production
  rocade verify                        prove that the chain works
  rocade sensors                       see which sensors are heard
  rocade lab demo                      see all of it on simulated devices";

/// Gateways, sensors, brokers and certificates as code.
#[derive(Debug, Parser)]
#[command(name = "rocade", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    /// The inventory repository.
    #[arg(short = 'C', long = "chdir", value_name = "DIR", default_value = ".", global = true)]
    pub directory: PathBuf,
    /// Machine-readable output on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Never ask; what would need an answer is refused.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// More detail: every field of every change.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// The age identity that opens the secrets.
    #[arg(short = 'i', long, value_name = "FILE", global = true)]
    pub identity: Option<PathBuf>,
    /// No colour.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check the inventory: form, references, lint. Offline.
    Validate(Validate),
    /// Read the targets, compare, show. Never writes.
    Plan(Plan),
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
    /// Draw the way of the readings, or of the calls through a telephone system, from the inventory.
    Graph(Graph),
    /// Say step by step what happens to a call.
    Call(Call),
    /// Make inventory of what is live.
    #[command(subcommand)]
    Import(Import),
    /// A telephone system's Live Chat snippet, backups and list of users.
    #[command(subcommand)]
    Pbx(PbxVerb),
    /// Decode sensors' frames with the relay's own decoders.
    Decode(Decode),
    /// Print the JSON Schema of the inventory.
    Schema,
    /// Simulated devices.
    #[command(subcommand)]
    Lab(Lab),
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

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
}

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Which targets.
    #[command(flatten)]
    pub choice: Choice,
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

/// `sensors`.
#[derive(Debug, Args)]
pub struct Sensors {
    /// Which sensors: by their own name, or with their gateway.
    #[command(flatten)]
    pub choice: Choice,
    /// Only those that are silent, were never heard or could not be read.
    #[arg(long)]
    pub silent: bool,
}

/// `redeploy`.
#[derive(Debug, Args)]
pub struct Redeploy {
    /// The gateways; several at once when each is behind an interface of its own (`bootstrap: {interface: eth1}`).
    #[arg(value_name = "GATEWAY", required = true)]
    pub names: Vec<String>,
    /// Where it is reached, with the port of its web side when that is another than the inventory's.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address_and_port)]
    pub at: Option<(String, Option<u16>)>,
    /// It takes the place of the unit the inventory names: its serial number is written there.
    #[arg(long)]
    pub replacement: bool,
    /// Install the inventory's firmware image when the version found is not accepted.
    #[arg(long)]
    pub upgrade: bool,
    /// Do everything without asking.
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait until the sensors are heard; two of their periods, at most 30m, when absent.
    #[arg(long, value_name = "DURATION", conflicts_with = "no_wait")]
    pub wait: Option<crate::model::Period>,
    /// Do not wait for the sensors.
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for the gateway itself, at first and after restarts.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub patience: crate::model::Period,
}

/// An address, `ADDRESS:PORT` or `[IPv6]:PORT`.
fn address_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    let port = |port: &str| port.parse().map_err(|_| format!("`{port}` is no port"));
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(number) => Ok((address.to_owned(), Some(port(number)?))),
            None if rest.is_empty() => Ok((address.to_owned(), None)),
            None => Err(format!("`{text}` is no address")),
        };
    }
    match text.split_once(':') {
        Some((address, number)) if !number.contains(':') => Ok((address.to_owned(), Some(port(number)?))),
        Some(_) => Ok((text.to_owned(), None)),
        None if text.is_empty() => Err("an address is missing".to_owned()),
        None => Ok((text.to_owned(), None)),
    }
}

/// `pki`.
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Make the root certificate.
    Init,
    /// Show the authority and its leaves.
    Status,
    /// Issue the certificate of a broker (apply does it by itself).
    Issue {
        /// The broker.
        name: String,
    },
}

/// `secrets`.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Make an identity and, in a repository without recipients, make it the first.
    Keygen {
        /// Where to write it; the default place when absent.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Set a secret from standard input (asked for twice on a terminal).
    Set {
        /// Its path, such as `gateways/pool-gw/admin`.
        path: String,
        /// Make it of random bytes instead: `hex16` for an AppKey or network key, `text` for a password.
        #[arg(long, value_name = "KIND")]
        generate: Option<Generate>,
    },
    /// Print a secret.
    Get {
        /// Its path.
        path: String,
    },
    /// Encrypt all secrets and keys to the present recipients, after `inventory/secrets/recipients.txt` changed.
    Rekey,
    /// Check that every secret opens, sits at its own name and that the inventory's are all there.
    Check,
}

/// Kinds of random secrets.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Generate {
    /// 32 hex digits: a LoRaWAN key.
    Hex16,
    /// 32 letters and digits.
    Text,
}

/// `call`.
#[derive(Debug, Args)]
pub struct Call {
    /// The number called: one of ours, an internal one, or, dialled by an extension, any.
    #[arg(value_name = "NUMBER")]
    pub number: crate::model::PhoneNumber,
    /// Who calls: a number of the public network; for internal calls an extension.
    #[arg(long, value_name = "CALLER")]
    pub from: Option<crate::model::PhoneNumber>,
    /// When, on the clock of the PBX's site: `2026-12-25 23:00`; now when absent.
    #[arg(long, value_name = "YYYY-MM-DD HH:MM", value_parser = wall_clock)]
    pub at: Option<jiff::civil::DateTime>,
    /// The extension that dials the number.
    #[arg(long = "as", value_name = "EXTENSION")]
    pub dialler: Option<String>,
    /// The PBX, when the inventory has several and the number does not tell.
    #[arg(long, value_name = "NAME")]
    pub pbx: Option<String>,
    /// Ask the PBX itself instead of the inventory. Never writes.
    #[arg(long)]
    pub live: bool,
}

fn wall_clock(text: &str) -> Result<jiff::civil::DateTime, String> {
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let read = forms.iter().find_map(|form| jiff::civil::DateTime::strptime(form, text).ok());
    read.ok_or_else(|| "write it as `2026-12-25 23:00`".to_owned())
}

/// `graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// A PBX for the way of its calls; a site, gateway, broker or host for its part of the way of the readings,
    /// which is drawn whole when nothing is named.
    pub name: Option<String>,
    /// The language it is drawn in.
    #[arg(long, value_enum, default_value_t)]
    pub format: Drawing,
}

/// Languages of drawings.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Drawing {
    /// Mermaid: GitLab and GitHub draw it in Markdown.
    #[default]
    Mermaid,
    /// Graphviz.
    Dot,
    /// A picture that a browser shows.
    Svg,
}

/// `import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Write a live PBX into its entry of the inventory; the plan right after is empty. No secrets.
    Pbx(ImportPbx),
}

/// `import pbx`.
#[derive(Debug, Args)]
pub struct ImportPbx {
    /// The PBX: an entry with `url`, `client_id`, `client_secret` and no parts yet.
    pub name: String,
    /// Print the parts and write nothing.
    #[arg(long)]
    pub stdout: bool,
}

/// `pbx`.
#[derive(Debug, Subcommand)]
pub enum PbxVerb {
    /// Print the lines that put a Live Chat link on a web site.
    Snippet {
        /// The PBX.
        name: String,
        /// The link.
        link: String,
    },
    /// Write its extensions in the form its console imports users from (CSV): another way for phones, whose writes
    /// over the API nobody has seen work. Makes extensions, changes none.
    Csv(PbxCsv),
    /// List the PBX's own backups.
    Backups {
        /// The PBX.
        name: String,
    },
    /// Put a backup back. The PBX restarts and calls end.
    Restore {
        /// The PBX.
        name: String,
        /// The backup, as `rocade pbx backups` lists it, with or without its ending.
        backup: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// `pbx csv`.
#[derive(Debug, Args)]
pub struct PbxCsv {
    /// The PBX.
    pub name: String,
    /// Where to write it; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask the PBX for the ids that keys need, its phone templates and its spelling of SBCs.
    #[arg(long)]
    pub live: bool,
    /// Write voicemail PINs too, in clear.
    #[arg(long)]
    pub with_secrets: bool,
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

/// `decode`.
#[derive(Debug, Args)]
pub struct Decode {
    /// The sensor's model: comfort, comfort-v1, comfort-co2.
    #[arg(long, required_unless_present = "jsonl")]
    pub model: Option<String>,
    /// Read one `{"model","fport","hex"}` a line and write one object a line.
    #[arg(long, conflicts_with_all = ["model", "payload"])]
    pub jsonl: bool,
    /// The frame, in hex or base64.
    #[arg(required_unless_present = "jsonl")]
    pub payload: Option<String>,
}

/// `lab`.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// The main job on simulated devices, told as it goes.
    Demo,
    /// Start simulated devices on loopback with an inventory for them in DIR, until Ctrl-C.
    Up {
        /// A new or empty directory.
        dir: PathBuf,
        /// The gateway starts in its box: no user, SSH off.
        #[arg(long)]
        boxed: bool,
        /// Extensions its 3CX has besides those of the inventory, to see how much it takes to read them.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
        extensions: u32,
    },
    /// Press the reset button of a gateway of the lab that runs in the directory (`-C`): under 5 s it restarts,
    /// under 30 s it goes back to user-defined defaults, from then on to factory defaults.
    Press {
        /// The gateway.
        name: String,
        /// How long: 2s, 8s, 35s.
        #[arg(long = "for", value_name = "TIME", default_value = "2s")]
        time: crate::model::Period,
    },
    /// Pull the plug of a gateway of the lab that runs in the directory and put it back.
    CutPower {
        /// The gateway.
        name: String,
    },
    /// Make a device of the lab that runs in the directory do wrong: all its knobs anew.
    Turn {
        /// The device.
        name: String,
        /// What it does wrong, such as `refuse`, `slow=250`, `cut-at-exec=2`, `at-request=3:cut-after`; `off`.
        #[arg(value_parser = knobs)]
        knobs: String,
    },
    /// Let a sensor be heard by a gateway of the lab that runs in the directory; it joins when it has not.
    Uplink {
        /// The gateway.
        name: String,
        /// The sensor's DevEUI.
        dev_eui: crate::model::Eui,
        /// The frame in hex.
        frame: String,
        /// Its frame counter; the next one when absent.
        #[arg(long)]
        fcnt: Option<u32>,
    },
    /// Serve a simulated Conduit's API alone, in clear, as on a gateway's own loopback.
    ConduitApi {
        /// Address and port.
        #[arg(long)]
        listen: std::net::SocketAddr,
        /// Where its state is kept as JSON.
        #[arg(long)]
        state: PathBuf,
        /// Where requests are noted, a JSON object a line.
        #[arg(long)]
        log: PathBuf,
        /// What it does wrong, such as `slow=250`, `api=503`, `api=half`.
        #[arg(long, default_value = "")]
        fault: crate::lab::Knobs,
    },
}

/// Knobs that are words of a lab, as they were written.
fn knobs(text: &str) -> Result<String, String> {
    text.parse::<crate::lab::Knobs>().map(|_| text.to_owned())
}
