//! A host key that is not pinned for the host ends the connection before any login, with both fingerprints.

use rocade::transport::known_hosts::{KnownHosts, fingerprint};
use rocade::transport::ssh::{Limits, Session, SshFault, offered_key};

use crate::server::{PASSWORD, Server, run};

async fn refused(server: &Server, pins: &KnownHosts) -> SshFault {
    let fault =
        Session::open(&server.route_with_password(PASSWORD), pins, Limits::default()).await.unwrap_err();
    let log = server.log();
    assert!(!log.contains("userauth-request"), "no user name may be sent to an unknown host: {log}");
    fault
}

#[tokio::test]
async fn unknown_shows_the_offered_key_and_how_to_accept_it() {
    let Some(server) = Server::start("") else { return };
    let pins = KnownHosts::read(&server.at("known_hosts")).unwrap();
    let fault = refused(&server, &pins).await;
    let print = fingerprint(&server.host_key("ed25519"));
    let listed = run("ssh-keygen", &["-lf", &server.at("host_ed25519.pub").display().to_string()]);
    assert!(listed.contains(&print), "{listed} has another than {print}");
    let expected = format!(
        "host key of 127.0.0.1:{} is not known: it offers ssh-ed25519 {print}, none pinned",
        server.port
    );
    assert_eq!(fault.to_string(), expected);
    assert!(fault.hint().unwrap().ends_with(&format!("rocade trust pool-gw --fingerprint {print}")));
}

#[tokio::test]
async fn changed_shows_both_fingerprints() {
    let Some(server) = Server::start("") else { return };
    let Some(before_reset) = Server::start("") else { return };
    let mut pins = KnownHosts::read(&server.at("known_hosts")).unwrap();
    let old = before_reset.host_key("ed25519");
    pins.add("127.0.0.1", server.port, &old).unwrap();
    let fault = refused(&server, &pins).await;
    let (old, new) = (fingerprint(&old), fingerprint(&server.host_key("ed25519")));
    assert!(matches!(fault, SshFault::HostKeyChanged { .. }), "{fault}");
    assert!(fault.to_string().ends_with(&format!("offers ssh-ed25519 {new}, pinned is ssh-ed25519 {old}")));
    assert!(fault.hint().unwrap().ends_with(&format!("rocade trust pool-gw --fingerprint {new}")));
    pins.repin("127.0.0.1", server.port, &server.host_key("ed25519")).unwrap();
    assert!(Session::open(&server.route_with_password(PASSWORD), &pins, Limits::default()).await.is_ok());
}

#[tokio::test]
async fn revoked_is_refused_though_pinned() {
    let Some(server) = Server::start("") else { return };
    let path = server.at("known_hosts");
    server.pins();
    let key = server.host_key("ed25519").to_openssh().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}@revoked * {key}\n")).unwrap();
    let fault = refused(&server, &KnownHosts::read(&path).unwrap()).await;
    assert!(matches!(fault, SshFault::HostKeyRevoked { .. }), "{fault}");
    assert!(fault.to_string().contains(&fingerprint(&server.host_key("ed25519"))), "{fault}");
}

#[tokio::test]
async fn hashed_by_ssh_keygen_is_known() {
    let Some(server) = Server::start("") else { return };
    server.pins();
    let path = server.at("known_hosts");
    run("ssh-keygen", &["-q", "-H", "-f", &path.display().to_string()]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("|1|") && !text.contains("127.0.0.1"), "{text}");
    let pins = KnownHosts::read(&path).unwrap();
    assert!(Session::open(&server.route_with_key(), &pins, Limits::default()).await.is_ok());
}

#[tokio::test]
async fn the_pinned_type_is_asked_for_first() {
    let Some(server) = Server::start("") else { return };
    let mut pins = KnownHosts::read(&server.at("known_hosts")).unwrap();
    pins.add("127.0.0.1", server.port, &server.host_key("ecdsa")).unwrap();
    let session = Session::open(&server.route_with_key(), &pins, Limits::default()).await.unwrap();
    session.close().await;
    server.logs("kex: host key algorithm: ecdsa-sha2-nistp256");
}

#[tokio::test]
async fn a_server_with_an_rsa_key_alone_is_named_with_what_it_offers() {
    let Some(server) = Server::start_with_keys(&["rsa"], "") else { return };
    let pins = KnownHosts::read(&server.at("known_hosts")).unwrap();
    let fault = refused(&server, &pins).await;
    let text = fault.to_string();
    assert!(
        text.contains("offers no host key type we can use: it offers rsa-sha2-512, rsa-sha2-256"),
        "{text}"
    );
    assert!(fault.hint().unwrap().contains("ssh-keygen -t ed25519"), "{:?}", fault.hint());
}

#[tokio::test]
async fn the_offered_key_is_seen_without_a_login() {
    let Some(server) = Server::start("") else { return };
    let pins = KnownHosts::read(&server.at("known_hosts")).unwrap();
    let key = offered_key(&server.bare_route(), &pins, Limits::default()).await.unwrap();
    assert_eq!(key.key_data(), server.host_key("ed25519").key_data());
    assert!(!server.log().contains("userauth-request"), "{}", server.log());
}
