//! How the types of a playbook are read from its file.

use super::*;
use crate::inventory::decode::{Decode, Decoder, part, raw, shape, words};
use crate::inventory::tree::{Body, Node};

shape!(Playbook { title, with, steps needed });
shape!(Step { title, plan, apply, verify, redeploy, renew, rotate, rekey, wait, confirm, run });
shape!(PlanStep { selection: Selection.., expect });
shape!(ApplyStep { selection: Selection.., pace: Pace.., gate, max_delete });
shape!(VerifyStep { selection: Selection.., gate });
shape!(RedeployStep { selection: Selection.., pace: Pace.., gate, replacement, upgrade, patience, wait });
shape!(RenewStep { names, relays, due });
shape!(RotateStep { authority, secret, listed });
shape!(RekeyStep { remove });
shape!(RunStep { selection: Selection.., pace: Pace.., command, within });
part!(Selection { names, only, except });
part!(Pace { waves, max_failures });

words!(Expected { "no-changes" => NoChanges });
words!(Stage { "start" => Start, "issue" => Issue, "finish" => Finish });
words!(Gate { "verify" => Verify, "sensors" => Sensors });
words!(Parameter {
    "gateway" => Gateway,
    "broker" => Broker,
    "host" => Host,
    "pbx" => Pbx,
    "site" => Site,
    "target" => Target,
    "secret" => Secret,
    "recipient" => Recipient,
    "text" => Text,
});

const A_SIZE: &str = "a number of targets, a share such as 10%, or rest";

impl Decode for Size {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let text = raw(node, decoder, A_SIZE)?;
        let number = |text: &str| text.parse::<u32>().ok();
        let size = match text.strip_suffix('%') {
            _ if text == "rest" => Some(Size::Rest),
            Some(share) => number(share).filter(|share| *share <= 100).map(Size::Percent),
            None => number(text).map(Size::Count),
        };
        if size.is_none() {
            decoder.refuse("bad-size", node, format!("`{text}` is not {A_SIZE}"), "");
        }
        size
    }
}

impl Decode for Waves {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let sizes = match &node.body {
            Body::List(_) => Vec::<Size>::decode(node, decoder)?,
            _ => vec![Size::decode(node, decoder)?],
        };
        let nothing = |size: &Size| matches!(size, Size::Count(0) | Size::Percent(0));
        let rest_early = sizes.iter().rev().skip(1).any(|size| *size == Size::Rest);
        if sizes.is_empty() || sizes.iter().any(nothing) || rest_early {
            let message = "a wave has at least one target, and `rest` stands last";
            decoder.refuse("bad-waves", node, message, "such as `waves: [1, 10%, rest]`");
            return None;
        }
        Some(Waves(sizes))
    }
}
