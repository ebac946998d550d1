//! Somebody at a simulated Conduit's web page.

use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, StatusCode};
use rocade::lab::{Device, DevicePlan};
use serde_json::{Value, json};

/// Somebody at the unit's web page.
pub struct Visitor<'a> {
    device: &'a Device,
    client: Client,
    token: String,
}

impl<'a> Visitor<'a> {
    pub fn new(device: &'a Device) -> Self {
        let client = Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
        Self { device, client, token: String::new() }
    }

    pub async fn ask(&self, method: Method, path: &str, body: Value) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("{}/api/{path}", self.device.url());
        let request = self.client.request(method, url).header("Cookie", format!("token={}", self.token));
        let response = request.json(&body).send().await?;
        Ok((response.status(), response.json().await?))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, envelope) = self.ask(Method::GET, path, Value::Null).await.unwrap();
        assert_eq!(status, 200, "{path}: {envelope}");
        envelope["result"].clone()
    }

    pub async fn change(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, envelope) = self.ask(method, path, body).await.unwrap();
        assert_eq!(status, 200, "{path}: {envelope}");
        envelope["result"].clone()
    }

    pub async fn login(&mut self, user: &str, password: &str) -> (StatusCode, Value) {
        let path = format!("login?username={user}&password={password}");
        let (status, envelope) = self.ask(Method::GET, &path, Value::Null).await.unwrap();
        self.token = envelope["result"]["token"].as_str().unwrap_or("").to_owned();
        (status, envelope)
    }

    /// Takes the unit out of its box, as far as its firmware goes.
    pub async fn commission(&mut self) {
        let DevicePlan { user, password, .. } = &self.device.plan;
        let mut id = self.get("commissioning").await["aasID"].clone();
        for answer in ["", password, password] {
            let body = json!({"username": user, "aasID": id, "aasAnswer": answer});
            let result = self.change(Method::POST, "commissioning", body).await;
            assert_ne!(result["aasType"], "error", "{result}");
            id = result["aasID"].clone();
        }
        assert_eq!(self.login(user, password).await.0, 200);
    }

    pub async fn turn_ssh_on(&self) {
        let ssh = json!({"ssh": {"enabled": true, "lan": true}});
        self.change(Method::PUT, "remoteAccess", ssh).await;
    }

    pub async fn command(&self, name: &str) {
        self.change(Method::POST, &format!("command/{name}"), Value::Null).await;
    }

    /// Sends an image as a browser does.
    pub async fn upload(&self, command: &str, image: Vec<u8>) -> (StatusCode, Value) {
        let url = format!("{}/api/command/{command}", self.device.url());
        let file = Part::bytes(image).file_name("upgrade.bin");
        let request = self.client.post(url).header("Cookie", format!("token={}", self.token));
        let response = request.multipart(Form::new().part("file", file)).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}
