//! What can be written in a playbook: ordered steps, and nothing that a programming language has. No conditions,
//! no loops; what a step is to do is worked out from the inventory when its turn comes.

mod check;
mod load;
mod shape;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{At, PeriodText};

pub use check::mentions;
pub use load::{Book, Books, FOLDER, load, parse};

/// A playbook: one file under `playbooks/`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Playbook {
    /// What it is for.
    pub title: String,
    /// What has to be given when it is run, and what each is: `{gateway: gateway}` makes `{gateway}` stand for
    /// the gateway that was named.
    #[schemars(default, transform = super::schema::named)]
    pub with: BTreeMap<String, At<Parameter>>,
    /// The steps, in their order.
    #[schemars(extend("minItems" = 1))]
    pub steps: Vec<At<Step>>,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Parameter {
    /// A gateway of the inventory.
    Gateway,
    /// A broker of the inventory.
    Broker,
    /// A plain host of the inventory.
    Host,
    /// A telephone system of the inventory.
    Pbx,
    /// A site of the inventory.
    Site,
    /// Any target of the inventory.
    Target,
    /// The path of a secret.
    Secret,
    /// One who can open the secrets, by the name in `inventory/secrets/recipients.txt`.
    Recipient,
    /// Words for people; not for names and commands.
    Text,
}

/// A step: exactly one of its verbs, and a title when the verb does not say enough.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = one_verb()))]
pub struct Step {
    /// Why this step, for people.
    #[schemars(default)]
    pub title: Option<At<String>>,
    /// Read and compare; stops when something cannot be read.
    #[schemars(default)]
    pub plan: Option<PlanStep>,
    /// Plan and carry out, wave by wave.
    #[schemars(default)]
    pub apply: Option<ApplyStep>,
    /// Prove by use that what was applied works.
    #[schemars(default)]
    pub verify: Option<VerifyStep>,
    /// Bring gateways from their box, or from any state, to what the inventory says.
    #[schemars(default)]
    pub redeploy: Option<RedeployStep>,
    /// Issue certificates anew.
    #[schemars(default)]
    pub renew: Option<RenewStep>,
    /// Put something new in the place of a secret, or bring the authority to its next stage.
    #[schemars(default)]
    pub rotate: Option<RotateStep>,
    /// Encrypt the secrets for others than before.
    #[schemars(default)]
    pub rekey: Option<RekeyStep>,
    /// Wait so long.
    #[schemars(default)]
    pub wait: Option<PeriodText>,
    /// Stop until a person says that this is so.
    #[schemars(default)]
    pub confirm: Option<At<String>>,
    /// Run a command on hosts, for the rare case that the inventory has no words for.
    #[schemars(default)]
    pub run: Option<RunStep>,
}

/// The verbs of a step.
pub const VERBS: [&str; 10] =
    ["plan", "apply", "verify", "redeploy", "renew", "rotate", "rekey", "wait", "confirm", "run"];

fn one_verb() -> serde_json::Value {
    VERBS.iter().map(|verb| serde_json::json!({ "required": [verb] })).collect()
}

impl Step {
    /// What the step does. The check let no step through that has none or two.
    pub fn act(&self) -> Option<Act<'_>> {
        let acts = [
            self.plan.as_ref().map(Act::Plan),
            self.apply.as_ref().map(Act::Apply),
            self.verify.as_ref().map(Act::Verify),
            self.redeploy.as_ref().map(Act::Redeploy),
            self.renew.as_ref().map(Act::Renew),
            self.rotate.as_ref().map(Act::Rotate),
            self.rekey.as_ref().map(Act::Rekey),
            self.wait.as_ref().map(Act::Wait),
            self.confirm.as_ref().map(Act::Confirm),
            self.run.as_ref().map(Act::Run),
        ];
        acts.into_iter().flatten().next()
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Read and compare.
    Plan(&'a PlanStep),
    /// Plan and carry out.
    Apply(&'a ApplyStep),
    /// Prove by use.
    Verify(&'a VerifyStep),
    /// Bring gateways up.
    Redeploy(&'a RedeployStep),
    /// Issue certificates anew.
    Renew(&'a RenewStep),
    /// Something new for something old.
    Rotate(&'a RotateStep),
    /// Others than before.
    Rekey(&'a RekeyStep),
    /// Wait.
    Wait(&'a PeriodText),
    /// Ask a person.
    Confirm(&'a At<String>),
    /// A command.
    Run(&'a RunStep),
}

impl<'a> Act<'a> {
    /// The verb, as it is written.
    pub fn verb(&self) -> &'static str {
        match self {
            Act::Plan(_) => "plan",
            Act::Apply(_) => "apply",
            Act::Verify(_) => "verify",
            Act::Redeploy(_) => "redeploy",
            Act::Renew(_) => "renew",
            Act::Rotate(_) => "rotate",
            Act::Rekey(_) => "rekey",
            Act::Wait(_) => "wait",
            Act::Confirm(_) => "confirm",
            Act::Run(_) => "run",
        }
    }

    /// Whether it changes the repository itself: such a step is not shared out between machines.
    pub fn is_of_the_repository(&self) -> bool {
        matches!(self, Act::Renew(_) | Act::Rotate(_) | Act::Rekey(_))
    }

    /// The targets it is about, when it is about targets.
    pub fn selection(&self) -> Option<&'a Selection> {
        match self {
            Act::Plan(step) => Some(&step.selection),
            Act::Apply(step) => Some(&step.selection),
            Act::Verify(step) => Some(&step.selection),
            Act::Redeploy(step) => Some(&step.selection),
            Act::Run(step) => Some(&step.selection),
            _ => None,
        }
    }

    /// How its targets are taken, when it takes them one wave after the other.
    pub fn pace(&self) -> Option<&'a Pace> {
        match self {
            Act::Apply(step) => Some(&step.pace),
            Act::Redeploy(step) => Some(&step.pace),
            Act::Run(step) => Some(&step.pace),
            _ => None,
        }
    }

    /// What must hold after each of its waves.
    pub fn gate(&self) -> &'a [Gate] {
        match self {
            Act::Apply(step) => &step.gate,
            Act::Redeploy(step) => &step.gate,
            _ => &[],
        }
    }
}

/// Which targets, as on the command line.
#[derive(Clone, Debug, JsonSchema)]
pub struct Selection {
    /// Targets by name, or kind/name; all that the verb is for when none is given.
    #[schemars(default)]
    pub names: Vec<At<String>>,
    /// Only targets with these labels, as `key=value`: kind, name, site, model.
    #[schemars(default)]
    pub only: Vec<At<String>>,
    /// All but these.
    #[schemars(default)]
    pub except: Vec<At<String>>,
}

/// How targets are taken one wave after the other.
#[derive(Clone, Debug, JsonSchema)]
pub struct Pace {
    /// How many targets at a time; all at once when absent.
    #[schemars(default)]
    pub waves: Option<At<Waves>>,
    /// How many targets may fail before no further wave is begun: a number, or a share such as `5%`. None when
    /// absent.
    #[schemars(default)]
    pub max_failures: Option<At<Size>>,
}

impl Pace {
    /// The sizes of its waves.
    pub fn sizes(&self) -> Option<&Waves> {
        self.waves.as_ref().map(|at| &at.value)
    }

    /// How many targets may fail.
    pub fn most(&self) -> Option<Size> {
        self.max_failures.as_ref().map(|at| at.value)
    }
}

/// `plan`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PlanStep {
    /// Which targets.
    #[schemars(flatten)]
    pub selection: Selection,
    /// What must be found; the playbook stops otherwise.
    #[schemars(default)]
    pub expect: Option<Expected>,
}

/// What a plan must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Expected {
    /// Nothing is left to do.
    NoChanges,
}

/// `apply`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ApplyStep {
    /// Which targets.
    #[schemars(flatten)]
    pub selection: Selection,
    /// How they are taken one wave after the other.
    #[schemars(flatten)]
    pub pace: Pace,
    /// What must hold after each wave before the next is begun.
    #[schemars(default)]
    pub gate: Vec<Gate>,
    /// Refuse a wave whose plan has more deletes.
    #[schemars(default)]
    pub max_delete: Option<u32>,
}

/// `verify`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerifyStep {
    /// Which targets.
    #[schemars(flatten)]
    pub selection: Selection,
    /// What is proven; `[verify]` when absent.
    #[schemars(default)]
    pub gate: Vec<Gate>,
}

/// `redeploy`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RedeployStep {
    /// Which targets.
    #[schemars(flatten)]
    pub selection: Selection,
    /// How they are taken one wave after the other.
    #[schemars(flatten)]
    pub pace: Pace,
    /// What must hold after each wave before the next is begun.
    #[schemars(default)]
    pub gate: Vec<Gate>,
    /// Other units take the place of those the inventory names.
    #[schemars(default)]
    pub replacement: Option<bool>,
    /// Install the inventory's firmware image when the version found is not accepted.
    #[schemars(default)]
    pub upgrade: Option<bool>,
    /// How long a gateway is waited for, when it is to answer and after a restart; 15m when absent.
    #[schemars(default)]
    pub patience: Option<PeriodText>,
    /// How long the sensors are waited for; two of their periods, at most 30m, when absent; 0s does not wait.
    #[schemars(default)]
    pub wait: Option<PeriodText>,
}

/// `renew`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RenewStep {
    /// The brokers whose certificates are issued anew, and the gateways whose relays have one; all brokers when none
    /// is given.
    #[schemars(default)]
    pub names: Vec<At<String>>,
    /// The certificates of all relays that have one, too.
    #[schemars(default)]
    pub relays: Option<bool>,
    /// Only certificates that are due; all are issued anew otherwise.
    #[schemars(default)]
    pub due: Option<bool>,
}

/// `rotate`: one of the three.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub struct RotateStep {
    /// The authority's next stage.
    #[schemars(default)]
    pub authority: Option<Stage>,
    /// The secret that gets a new value.
    #[schemars(default)]
    pub secret: Option<At<String>>,
    /// Everything in `inventory/secrets/rotate.txt` that only rocade has to know at both ends gets a new value; what
    /// is left is said.
    #[schemars(default)]
    pub listed: Option<bool>,
}

/// A stage of the rotation of the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A second root is made; both are trusted from the next apply on.
    Start,
    /// Certificates are issued by the new root.
    Issue,
    /// The old root is no longer trusted.
    Finish,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Start => "start",
            Stage::Issue => "issue",
            Stage::Finish => "finish",
        })
    }
}

/// `rekey`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RekeyStep {
    /// The recipient who is to open nothing any more.
    #[schemars(default)]
    pub remove: Option<At<String>>,
}

/// `run`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RunStep {
    /// Which targets.
    #[schemars(flatten)]
    pub selection: Selection,
    /// How they are taken one wave after the other.
    #[schemars(flatten)]
    pub pace: Pace,
    /// What `sh` is given, as the login user. It may be run twice: after a crash nobody knows whether it was.
    pub command: At<String>,
    /// How long it may take; 10m when absent.
    #[schemars(default)]
    pub within: Option<PeriodText>,
}

/// What must hold after a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Gate {
    /// `rocade verify` of the wave's targets.
    Verify,
    /// Every sensor of the wave's gateways is heard.
    Sensors,
}

/// A number of targets, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many.
    Count(u32),
    /// So many of a hundred.
    Percent(u32),
    /// All that are left.
    Rest,
}

/// The sizes of waves, one after the other; the last holds for all further waves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves(pub Vec<Size>);

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^([0-9]{1,2}%|100%|rest)$" },
        ] })
    }
}

impl JsonSchema for Waves {
    fn schema_name() -> Cow<'static, str> {
        "Waves".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let size = Size::json_schema(generator);
        json_schema!({ "anyOf": [size, { "type": "array", "minItems": 1, "items": size }] })
    }
}
