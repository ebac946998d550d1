//! Each way to log in, and that a refused one is not tried again.

use rocade::transport::ssh::{AgentUse, Limits, Session, SshFault};

use crate::server::{PASSWORD, Server, USER, run, shell};

#[tokio::test]
async fn a_key_file_logs_in_over_curve25519() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    assert_eq!(shell(&session, "echo here", b"").await, (Some(0), b"here\n".to_vec(), Vec::new()));
    session.close().await;
    server.logs("userauth-request for user admin");
    server.logs("kex: algorithm: curve25519-sha256");
    server.logs("kex: host key algorithm: ssh-ed25519");
}

#[tokio::test]
async fn a_password_logs_in() {
    let Some(server) = Server::start("") else { return };
    let route = server.route_with_password(PASSWORD);
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    assert_eq!(shell(&session, "id -un", b"").await.0, Some(0));
}

#[tokio::test]
async fn a_refused_password_is_tried_once_and_never_shown() {
    let Some(server) = Server::start("KbdInteractiveAuthentication yes\n") else { return };
    let route = server.route_with_password("battery staple");
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    let SshFault::LoginRefused { tried, offered, .. } = &fault else { panic!("{fault}") };
    assert_eq!(tried, &["password"]);
    assert!(offered.contains(&"publickey".to_owned()), "{offered:?}");
    assert!(!format!("{fault} {fault:?} {:?} {route:?}", fault.hint()).contains("battery staple"));
    server.logs("Connection closed by authenticating user");
    let log = server.log();
    assert_eq!(log.matches("Failed password for").count(), 1, "{log}");
    assert_eq!(log.matches("Failed keyboard-interactive").count(), 0, "{log}");
}

#[tokio::test]
async fn a_refused_key_leads_to_no_password() {
    let Some(server) = Server::start("") else { return };
    let other = server.at("other");
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &other.display().to_string()]);
    let mut route = server.bare_route();
    route.identity_files = vec![other];
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    let text = fault.to_string();
    assert!(text.contains(&format!("refuses {USER}: tried key file ")), "{text}");
    assert!(!server.log().contains("password for"), "{}", server.log());
}

#[tokio::test]
async fn key_then_password_where_the_server_asks_for_both() {
    let Some(server) = Server::start("AuthenticationMethods publickey,password\n") else { return };
    let mut route = server.route_with_key();
    route.password = server.route_with_password(PASSWORD).password;
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    assert_eq!(shell(&session, "true", b"").await.0, Some(0));
}

#[tokio::test]
async fn an_encrypted_key_file_without_an_agent_says_so() {
    let Some(server) = Server::start("") else { return };
    let locked = server.at("locked");
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "secret words", "-f", &locked.display().to_string()]);
    let mut route = server.bare_route();
    route.identity_files = vec![locked];
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    assert!(fault.to_string().contains("it is encrypted and the SSH agent does not hold it"), "{fault}");
    assert!(fault.hint().unwrap().contains("ssh-add"), "{:?}", fault.hint());
}

#[tokio::test]
async fn a_key_file_that_is_not_there_says_so() {
    let Some(server) = Server::start("") else { return };
    let mut route = server.bare_route();
    route.identity_files = vec![server.at("nowhere")];
    route.agent = AgentUse::None;
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    assert!(matches!(fault, SshFault::KeyUnusable { .. }), "{fault}");
    assert!(fault.to_string().contains("nowhere"), "{fault}");
}

#[tokio::test]
async fn without_anything_to_log_in_with_the_server_says_what_it_offers() {
    let Some(server) = Server::start("PasswordAuthentication no\nKbdInteractiveAuthentication no\n") else {
        return;
    };
    let route = server.route_with_password(PASSWORD);
    let fault = Session::open(&route, &server.pins(), Limits::default()).await.unwrap_err();
    let text = fault.to_string();
    assert!(text.contains("tried nothing; it offers publickey"), "{text}");
}

#[tokio::test]
async fn keyboard_interactive_stands_in_where_password_is_not_offered() {
    let configuration = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n";
    let Some(server) = Server::start(configuration) else { return };
    let route = server.route_with_password(PASSWORD);
    let session = Session::open(&route, &server.pins(), Limits::default()).await.unwrap();
    session.close().await;
    server.logs("Accepted keyboard-interactive/pam");
    let wrong = server.route_with_password("battery staple");
    let fault = Session::open(&wrong, &server.pins(), Limits::default()).await.unwrap_err();
    let SshFault::LoginRefused { tried, .. } = &fault else { panic!("{fault}") };
    assert_eq!(tried, &["keyboard-interactive"]);
    server.logs("Connection closed by authenticating user");
    let failed = server.log().matches("Failed keyboard-interactive/pam").count();
    assert_eq!(failed, 1, "{}", server.log());
}
