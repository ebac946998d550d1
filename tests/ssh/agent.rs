//! Logins with a real `ssh-agent`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rocade::transport::ssh::{AgentUse, Limits, Session};

use crate::server::{Server, run, shell};

struct Agent {
    socket: PathBuf,
    child: Child,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    fn start(server: &Server) -> Self {
        let socket = server.at("agent");
        let child =
            Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        while !socket.exists() {
            assert!(begin.elapsed() < Duration::from_secs(30), "ssh-agent did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { socket, child }
    }

    fn add(&self, server: &Server, key: &str) {
        let status = Command::new("ssh-add")
            .args(["-q"])
            .arg(server.at(key))
            .env("SSH_AUTH_SOCK", &self.socket)
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
}

fn make_key(server: &Server, name: &str, key_type: &str) {
    run("ssh-keygen", &["-q", "-t", key_type, "-N", "", "-f", &server.at(name).display().to_string()]);
}

#[tokio::test]
async fn a_key_of_the_agent_logs_in_after_one_that_is_refused() {
    let Some(server) = Server::start("") else { return };
    let agent = Agent::start(&server);
    make_key(&server, "other", "ed25519");
    agent.add(&server, "other");
    agent.add(&server, "user_ed25519");
    let mut route = server.bare_route();
    route.agent = AgentUse::All(agent.socket.clone());
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    assert_eq!(shell(&session, "true", b"").await.0, Some(0));
}

#[tokio::test]
async fn an_rsa_key_of_the_agent_signs_with_sha2() {
    let Some(server) = Server::start("") else { return };
    let agent = Agent::start(&server);
    make_key(&server, "user_rsa", "rsa");
    std::fs::copy(server.at("user_rsa.pub"), server.at("authorized_keys")).unwrap();
    agent.add(&server, "user_rsa");
    let mut route = server.bare_route();
    route.agent = AgentUse::All(agent.socket.clone());
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    session.close().await;
    server.logs("rsa-sha2-512");
}

#[tokio::test]
async fn an_encrypted_key_file_is_used_through_the_agent_and_no_other_key_of_it() {
    let Some(server) = Server::start("") else { return };
    let agent = Agent::start(&server);
    make_key(&server, "other", "ed25519");
    agent.add(&server, "other");
    agent.add(&server, "user_ed25519");
    let path = server.at("user_ed25519").display().to_string();
    run("ssh-keygen", &["-q", "-p", "-P", "", "-N", "secret words", "-f", &path]);
    let mut route = server.route_with_key();
    route.agent = AgentUse::FilesOnly(agent.socket.clone());
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    session.close().await;
    assert_eq!(server.log().matches("Failed publickey").count(), 0, "{}", server.log());
}

#[tokio::test]
async fn an_agent_that_is_gone_is_named() {
    let Some(server) = Server::start("") else { return };
    let mut route = server.bare_route();
    route.agent = AgentUse::All(server.at("no-agent"));
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    assert!(fault.hint().unwrap().contains("SSH agent"), "{fault}: {:?}", fault.hint());
}
