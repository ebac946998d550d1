//! How the first user is made: a dialogue on 5.x and 6.x, one request on 7.x. The order of the requests is
//! known from clients; the texts of the answers and what makes a password weak are assumed.

use serde_json::{Value, json};

use super::firmware::Firmware;
use super::tree::{Refusal, bad};

/// The shortest password taken.
const PASSWORD_LENGTH_MIN: usize = 8;

/// Where the dialogue stands.
#[derive(Clone, Debug, Default)]
pub struct Dialogue(Option<Asked>);

#[derive(Clone, Debug)]
struct Asked {
    /// What must be echoed.
    id: String,
    user: String,
    /// What must be repeated; `None` while a password is asked for.
    password: Option<String>,
}

/// What came of a request.
pub enum Step {
    /// It goes on with this answer.
    Next(Value),
    /// There is a user now: name and password.
    User(String, String),
}

/// The answer to `GET commissioning`.
///
/// # Errors
/// 400 when it is over, on firmware that says so.
pub fn state(firmware: &Firmware, commissioned: bool) -> Result<Value, Refusal> {
    match (firmware.has_dialogue(), commissioned) {
        (true, false) => Ok(json!({"aasID": ""})),
        (true, true) => Err(finished()),
        (false, commissioned) => Ok(json!({"commissioned": commissioned})),
    }
}

/// The refusal once there is a user.
pub fn finished() -> Refusal {
    bad("commissioning is finished")
}

impl Dialogue {
    /// Takes a `POST commissioning`.
    ///
    /// # Errors
    /// 400 when it does not fit into the dialogue, and for a weak password where there is none.
    pub fn take(&mut self, firmware: &Firmware, given: &Value) -> Result<Step, Refusal> {
        let word =
            |name: &str| given[name].as_str().ok_or_else(|| bad(format!("[{name}] property is not set")));
        if !firmware.has_dialogue() {
            let password = word("password")?;
            return match weakness(password) {
                Some(reason) => Err(bad(reason)),
                None => Ok(Step::User("admin".to_owned(), password.to_owned())),
            };
        }
        let (user, id, answer) = (word("username")?, word("aasID")?, word("aasAnswer")?);
        if user.is_empty() {
            return Err(bad("[username] property is not set"));
        }
        if id.is_empty() {
            return Ok(self.ask(user, None, "info", "Enter the new password"));
        }
        let asked = self.0.take().filter(|asked| asked.id == id && asked.user == user);
        let asked = asked.ok_or_else(|| bad("[aasID] property is not valid"))?;
        match asked.password {
            None => Ok(match weakness(answer) {
                Some(reason) => self.ask(user, None, "error", reason),
                None => self.ask(user, Some(answer), "info", "Confirm the new password"),
            }),
            Some(password) if password == answer => Ok(Step::User(user.to_owned(), password)),
            Some(_) => Ok(self.ask(user, None, "error", "The passwords do not match")),
        }
    }

    /// Asks for the next answer, each time with an id of its own.
    fn ask(&mut self, user: &str, password: Option<&str>, kind: &str, text: &str) -> Step {
        let id = format!("{:016x}", rand::random::<u64>());
        self.0 = Some(Asked { id: id.clone(), user: user.to_owned(), password: password.map(str::to_owned) });
        Step::Next(json!({"aasID": id, "aasType": kind, "aasMsg": text}))
    }
}

/// Why a password is refused.
fn weakness(password: &str) -> Option<&'static str> {
    let has = |class: fn(char) -> bool| password.chars().any(class);
    if password.chars().count() < PASSWORD_LENGTH_MIN {
        return Some("Password is too short");
    }
    let mixed = has(char::is_lowercase) && has(char::is_uppercase) && has(|char| char.is_ascii_digit());
    (!mixed).then_some("Password must have lower case and upper case letters and digits")
}
