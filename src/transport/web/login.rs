//! The login. One wrong password is one attempt: a Conduit locks its web side for 300 s after three.
//!
//! `POST /api/login` with JSON first; where that is not known (5.x), `GET` with the words in the query, which a
//! device may log. A session of the same user from another address is ended once, with the same password.

use reqwest::{Method, Url};
use serde_json::{Value as Json, json};

use super::{Answer, Token, WebFault, WebSession};
use crate::model::Secret;

/// Statuses with which a device says that it does not know a way to log in.
const NOT_KNOWN: [u16; 4] = [400, 404, 405, 501];

impl WebSession {
    /// Logs in.
    ///
    /// # Errors
    /// Why not; a refusal keeps the device's own words. It is not tried again.
    pub async fn log_in(&self, user: &str, password: &Secret) -> Result<(), WebFault> {
        self.keep(None);
        let password =
            password.reveal_text().ok_or_else(|| WebFault::Own("the password is not text".to_owned()))?;
        let refused_elsewhere = |fault: &WebFault| {
            fault.words().is_some_and(|words| words.to_lowercase().contains("another ip address"))
        };
        let answer = match self.knock(user, password).await {
            Err(fault) if refused_elsewhere(&fault) => {
                self.end_others(user, password).await?;
                self.knock(user, password).await?
            }
            end => end?,
        };
        let in_body = answer.result.get("token").and_then(Json::as_str).map(str::to_owned);
        let word = answer.cookie.or(in_body).filter(|word| is_token(word));
        let word = word.ok_or_else(|| WebFault::Status {
            whom: self.whom.clone(),
            status: 200,
            words: "it took the login and gave no token".to_owned(),
        })?;
        self.keep(Some(Token { word: Secret::new(word, "session"), in_query: false, proven: false }));
        Ok(())
    }

    /// Forgets the session: the device did, by a restart.
    pub fn forget(&self) {
        self.keep(None);
    }

    /// Ends the session. The device forgets it by itself too.
    pub async fn log_out(&self) {
        if self.token().is_some() {
            let _gone_anyway = self.request(Method::GET, "logout", None).await;
            self.keep(None);
        }
    }

    async fn knock(&self, user: &str, password: &str) -> Result<Answer, WebFault> {
        let words = json!({ "username": user, "password": password });
        let request = self.begin(Method::POST, "login")?.json(&words);
        match self.send(request, self.answer).await {
            Err(fault) if fault.status().is_some_and(|status| NOT_KNOWN.contains(&status)) => {
                self.send(self.begin(Method::GET, &with_words("login", user, password))?, self.answer).await
            }
            end => end,
        }
    }

    async fn end_others(&self, user: &str, password: &str) -> Result<(), WebFault> {
        let request = self.begin(Method::GET, &with_words("logout", user, password))?;
        self.send(request, self.answer).await.map(|_| ())
    }
}

/// A path with name and password in its query, percent-encoded: also the space, which forms write as a plus.
fn with_words(path: &str, user: &str, password: &str) -> String {
    let mut url = Url::parse("https://gateway").expect("a scheme and a host are a URL");
    url.query_pairs_mut().append_pair("username", user).append_pair("password", password);
    format!("{path}?{}", url.query().unwrap_or_default().replace('+', "%20"))
}

/// The token in a `Set-Cookie` line.
pub(super) fn token_of(line: &str) -> Option<&str> {
    line.split(';').next()?.trim().strip_prefix("token=")
}

/// Whether a word can stand in a header and a query as it is.
fn is_token(word: &str) -> bool {
    !word.is_empty() && word.len() <= 512 && word.chars().all(|char| char.is_ascii_graphic() && char != ';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_every_character_in_a_query() {
        let path = with_words("login", "admin", "a&b #+/?=%é");
        assert_eq!(path, "login?username=admin&password=a%26b%20%23%2B%2F%3F%3D%25%C3%A9");
    }
}
