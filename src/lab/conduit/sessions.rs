//! Logins of the Conduit's web side: `login`, `logout`, `whoami`, tokens, and the lock-out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::Url;
use serde_json::{Value, json};

use super::api::Reply;
use super::web::{Answered, Call};
use crate::lab::door::Lockout;
use crate::lab::held;
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
    lockout: Lockout,
    users: Mutex<BTreeMap<String, String>>,
}

impl Sessions {
    /// The sessions of a device with this login; its lock-out is its own, not SSH's.
    pub fn new(login: Arc<Login>) -> Self {
        let lockout = Lockout::new(login.lockout.lasts());
        Self { login, lockout, users: Mutex::default() }
    }

    /// Ends all sessions.
    pub fn clear(&self) {
        held(&self.users).clear();
    }

    /// Looks at a request from the network. `commissioning` is answered without a login.
    pub fn admit(&self, call: &Call) -> Admission {
        let query = query(&call.target);
        let path = call.target.split('?').next().unwrap_or("");
        match (call.method.as_str(), path) {
            ("GET", "/api/login") => self.log_in(query.get("username"), query.get("password")),
            ("POST", "/api/login") => {
                let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
                let field = |name: &str| body[name].as_str().map(str::to_owned);
                self.log_in(field("username").as_ref(), field("password").as_ref())
            }
            (_, "/api/commissioning") => Admission::Admitted,
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

    fn log_in(&self, user: Option<&String>, password: Option<&String>) -> Admission {
        let good = !self.lockout.is_locked()
            && user == Some(&self.login.user)
            && password == Some(&self.login.password);
        let left = if self.lockout.is_locked() { 0 } else { self.lockout.ended(good) };
        if !good {
            let error = format!("authorize failed. {left} attempts remaining.");
            return Admission::Answered(Reply::fail(401, &error).into());
        }
        let token = format!("{:032X}", rand::random::<u128>());
        held(&self.users).insert(token.clone(), self.login.user.clone());
        let result = json!({"permission": "admin", "token": token, "user": self.login.user});
        Admission::Answered(Answered { reply: Reply::success(&result), token: Some(token) })
    }
}

/// The query's pairs, decoded.
fn query(target: &str) -> BTreeMap<String, String> {
    let url = Url::parse("http://gateway").and_then(|base| base.join(target));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}
