//! Logins of the Conduit's web side: `login`, `logout`, `whoami`, tokens, and the lock-out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::Url;
use serde_json::{Value, json};

use super::api::Reply;
use super::web::{Answered, Call};
use crate::lab::door::Lockout;
use crate::lab::held;
use crate::lab::knobs::KnobBoard;
use crate::lab::ssh::Login;

/// What came of a request before the API saw it.
pub enum Admission {
    /// It is answered.
    Answered(Answered),
    /// It belongs to a session and goes on.
    Admitted,
}

/// The open sessions.
pub struct Sessions {
    login: Arc<Login>,
    knobs: Arc<KnobBoard>,
    lockout: Lockout,
    users: Mutex<BTreeMap<String, String>>,
}

impl Sessions {
    /// The sessions of a device with this login; its lock-out is its own, not SSH's.
    pub fn new(login: Arc<Login>, knobs: Arc<KnobBoard>) -> Self {
        let lockout = Lockout::new(login.lockout.lasts());
        Self { login, knobs, lockout, users: Mutex::default() }
    }

    /// Ends all sessions and forgets failed logins.
    pub fn clear(&self) {
        held(&self.users).clear();
        self.lockout.clear();
        self.login.lockout.clear();
    }

    /// Looks at a request from the network. `commissioning` is answered without a login.
    pub fn admit(&self, call: &Call) -> Admission {
        let query = query(&call.target);
        let path = call.target.split('?').next().unwrap_or("");
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let given = |name: &str| match query.get(name) {
            Some(word) => Some(word.clone()),
            None => body[name].as_str().map(str::to_owned),
        };
        let (user, password) = (given("username"), given("password"));
        match (call.method.as_str(), path, user, password) {
            ("GET" | "POST", "/api/login", user, password) => self.log_in(user, password),
            (_, "/api/logout", Some(user), Some(password)) => self.log_out(&user, &password),
            (_, "/api/commissioning", ..) => Admission::Admitted,
            _ => self.go_on(path, call.cookie.as_ref().or(query.get("token"))),
        }
    }

    fn go_on(&self, path: &str, token: Option<&String>) -> Admission {
        let mut users = held(&self.users);
        let Some((token, user)) = token.and_then(|token| users.get_key_value(token)) else {
            return Admission::Answered(Reply::fail(401, "authorization required").into());
        };
        let (token, user) = (token.clone(), user.clone());
        match path {
            "/api/whoami" => {
                let who =
                    json!({"address": "127.0.0.1", "permission": "admin", "token": token, "user": user});
                Admission::Answered(Reply::success(&who).into())
            }
            "/api/logout" => {
                users.remove(&token);
                Admission::Answered(Reply::success(&Value::Null).into())
            }
            _ => Admission::Admitted,
        }
    }

    fn log_in(&self, user: Option<String>, password: Option<String>) -> Admission {
        let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
        let good = !self.lockout.is_locked() && self.login.fits(&user, &password);
        let left = if self.lockout.is_locked() { 0 } else { self.lockout.ended(good) };
        if !good {
            let error = format!("authorize failed. {left} attempts remaining.");
            return Admission::Answered(Reply::fail(401, &error).into());
        }
        if self.knobs.now().other_session {
            // "another IP address" is known from a client that looks for it; the rest is assumed.
            let error = "User is already logged in from another IP address";
            return Admission::Answered(Reply::fail(401, error).into());
        }
        let token = format!("{:032X}", rand::random::<u128>());
        let result = json!({"permission": "admin", "token": token, "user": user});
        held(&self.users).insert(token.clone(), user);
        Admission::Answered(Answered { reply: Reply::success(&result), token: Some(token) })
    }

    /// Ends a user's sessions, wherever they are.
    fn log_out(&self, user: &str, password: &str) -> Admission {
        if !self.login.fits(user, password) {
            return Admission::Answered(Reply::fail(401, "authorization required").into());
        }
        held(&self.users).retain(|_, owner| owner != user);
        self.knobs.set(|knobs| knobs.other_session = false);
        Admission::Answered(Reply::success(&Value::Null).into())
    }
}

/// The query's pairs, decoded.
fn query(target: &str) -> BTreeMap<String, String> {
    let url = Url::parse("http://gateway").and_then(|base| base.join(target));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}
