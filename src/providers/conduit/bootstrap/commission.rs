//! The first user. On 5.x and 6.x it is a dialogue whose answers carry an id to echo, on 7.x (documented, never
//! recorded) one request with a password for `admin`.

use serde_json::{Value as Json, json};

use crate::model::Secret;
use crate::transport::web::{WebFault, WebWriting};

/// Requests of the dialogue at most: the user, the password, its confirmation, and one in reserve.
const STEPS_MAX: usize = 4;

/// Whether the first user can still be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commissioning {
    /// Yes: the factory state.
    Open(Dialogue),
    /// There is a user.
    Finished,
    /// Its answer does not say.
    Unclear(String),
}

/// How the first user is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialogue {
    /// In steps (5.x, 6.x).
    Steps,
    /// In one request (7.x).
    Single,
}

impl Commissioning {
    /// What the answer to `GET commissioning` means.
    pub(super) fn of(answer: Result<Json, WebFault>) -> Self {
        match answer {
            Ok(Json::Object(result)) => match result.get("commissioned") {
                Some(Json::Bool(true)) => Self::Finished,
                Some(Json::Bool(false)) => Self::Open(Dialogue::Single),
                Some(_) => Self::Unclear("its `commissioned` is neither true nor false".to_owned()),
                None => Self::Open(Dialogue::Steps),
            },
            Ok(Json::Null) => Self::Open(Dialogue::Steps),
            Ok(_) => Self::Unclear("its answer on commissioning has no known form".to_owned()),
            Err(fault) => match fault.words() {
                Some(words) if words.to_lowercase().contains("commissioning is finished") => Self::Finished,
                _ => Self::Unclear(fault.to_string()),
            },
        }
    }
}

/// Makes the first user.
///
/// # Errors
/// The gateway's own words when it refuses the password; why there is no good answer otherwise.
pub async fn commission(
    hand: WebWriting<'_>,
    dialogue: Dialogue,
    user: &str,
    password: &Secret,
) -> Result<(), WebFault> {
    let own = |words: &str| WebFault::Own(words.to_owned());
    let word = password.reveal_text().ok_or_else(|| own("the password is not text"))?;
    if dialogue == Dialogue::Single {
        if user != "admin" {
            return Err(own("this firmware makes the user `admin`, the inventory's `ssh.user` is another"));
        }
        return hand.post("commissioning", Some(&json!({ "password": word }))).await.map(drop);
    }
    let mut id = String::new();
    let mut said = String::new();
    for step in 0..STEPS_MAX {
        let answer = if step == 0 { "" } else { word };
        let body = json!({ "username": user, "aasID": id, "aasAnswer": answer });
        match Turn::of(&hand.post("commissioning", Some(&body)).await?) {
            Turn::Refused(words) => return Err(own(&format!("it refuses the password: {words}"))),
            Turn::Done if step > 1 => return Ok(()),
            Turn::Done => return Err(own("its commissioning gave no id to go on with")),
            Turn::Asks { id: Some(next), words } => (id, said) = (next, words),
            // An answer without a new id keeps the one before.
            Turn::Asks { id: None, words } => said = words,
        }
    }
    Err(own(&format!("its commissioning does not come to an end: {said}")))
}

/// What an answer within the dialogue means.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// The user is made.
    Done,
    /// It wants another answer.
    Asks { id: Option<String>, words: String },
    /// It does not take the last one.
    Refused(String),
}

impl Turn {
    fn of(result: &Json) -> Self {
        let text = |name: &str| result[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let words = text("aasMsg").unwrap_or_else(|| "it gives no reason".to_owned());
        match (text("aasType").as_deref(), text("aasID")) {
            (Some("error"), _) => Self::Refused(words),
            (None, None) => Self::Done,
            (_, id) => Self::Asks { id, words },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, words: &str) -> WebFault {
        WebFault::Status { whom: "192.168.2.1:443".into(), status, words: words.into() }
    }

    #[test]
    fn the_way_of_commissioning_follows_from_the_answer() {
        use Commissioning::{Finished, Open, Unclear};
        for (answer, expected) in [
            (Ok(json!({ "aasID": "" })), Open(Dialogue::Steps)),
            (Ok(json!({})), Open(Dialogue::Steps)),
            (Ok(Json::Null), Open(Dialogue::Steps)),
            (Ok(json!({ "commissioned": false })), Open(Dialogue::Single)),
            (Ok(json!({ "commissioned": true })), Finished),
            (Err(fault(400, "Commissioning is finished")), Finished),
        ] {
            assert_eq!(Commissioning::of(answer), expected);
        }
        for answer in [
            Ok(json!({ "commissioned": "no" })),
            Ok(json!([])),
            Err(fault(400, "bad request")),
            Err(fault(404, "Path not found")),
            Err(WebFault::NotJson { whom: String::new(), status: 200 }),
        ] {
            assert!(matches!(Commissioning::of(answer), Unclear(_)));
        }
    }

    #[test]
    fn a_weak_password_is_a_refusal_in_the_gateways_words() {
        let weak = json!({ "aasID": "1", "aasType": "error", "aasMsg": "Password is too short" });
        assert_eq!(Turn::of(&weak), Turn::Refused("Password is too short".into()));
        let asks = Turn::of(&json!({ "aasID": "1", "aasType": "info", "aasMsg": "Confirm" }));
        assert_eq!(asks, Turn::Asks { id: Some("1".into()), words: "Confirm".into() });
        assert_eq!(Turn::of(&json!({})), Turn::Done);
        assert_eq!(Turn::of(&Json::Null), Turn::Done);
    }
}
