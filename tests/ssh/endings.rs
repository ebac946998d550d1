//! Hosts that are not there, say nothing, or leave in the middle: each is said in one line that names the
//! host.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use rocade::transport::known_hosts::KnownHosts;
use rocade::transport::ssh::{AgentUse, Limits, Route, Session, SshFault};

use crate::server::{SERVER_PROCESS, Server, free_port, run, shell};

fn route(port: u16) -> Route {
    Route {
        name: "pool-gw".into(),
        address: "127.0.0.1".into(),
        port,
        user: "admin".into(),
        password: None,
        identity_files: Vec::new(),
        agent: AgentUse::None,
        jumps: Vec::new(),
        pinned_as: None,
        interface: None,
    }
}

async fn fault(port: u16, limits: Limits) -> SshFault {
    Session::open(&route(port), &KnownHosts::default(), limits).await.unwrap_err()
}

#[tokio::test]
async fn a_socket_that_listens_and_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let limits = Limits { connect: Duration::from_millis(500), ..Limits::default() };
    let expected = format!("no answer from 127.0.0.1:{port} within 0.5 s while connecting");
    assert_eq!(fault(port, limits).await.to_string(), expected);
    let total = Limits { total: Duration::from_millis(500), ..Limits::default() };
    let expected = format!("no answer from 127.0.0.1:{port} within 0.5 s while opening the session");
    assert_eq!(fault(port, total).await.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_is_silent_after_its_first_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-Silent\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // Ends when our side hangs up: nothing of the given-up connection is left behind.
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
    });
    let limits = Limits { connect: Duration::from_millis(500), ..Limits::default() };
    assert!(matches!(fault(port, limits).await, SshFault::TimedOut { .. }));
    let served = tokio::task::spawn_blocking(|| serving.join().unwrap());
    let served = tokio::time::timeout(Duration::from_secs(30), served).await;
    assert!(served.expect("the given-up connection is still open").unwrap() > 0);
}

#[tokio::test]
async fn nobody_listens_no_such_name_and_no_ssh() {
    let port = free_port();
    let fault_of_none = fault(port, Limits::default()).await;
    assert_eq!(fault_of_none.to_string(), format!("127.0.0.1:{port} refuses the connection"));
    assert!(fault_of_none.hint().is_some());
    let mut nowhere = route(22);
    nowhere.address = "no-such-host.invalid".into();
    let unresolved = Session::open(&nowhere, &KnownHosts::default(), Limits::default()).await.unwrap_err();
    assert!(matches!(unresolved, SshFault::Unreachable { .. }), "{unresolved}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let hung_up = fault(port, Limits::default()).await;
    assert!(matches!(hung_up, SshFault::Closed { .. }), "{hung_up:?}");
    serving.join().unwrap();
}

#[tokio::test]
async fn a_server_that_leaves_in_the_middle_of_a_program() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let script = format!("echo begun; kill -KILL {SERVER_PROCESS}; sleep 5");
    let command = ["sh", "-c", &script].map(str::to_owned);
    let mut output = Vec::new();
    let mut hear = |bytes: &[u8]| output.extend_from_slice(bytes);
    let fault = session.exec(&command, b"", &mut hear, Duration::from_secs(120)).await.unwrap_err();
    let expected = format!("127.0.0.1:{} ended the connection: connection closed", server.port);
    assert_eq!(fault.to_string(), expected);
    let after = session.exec(&command, b"", &mut |_| {}, Duration::from_secs(120)).await.unwrap_err();
    assert_eq!(after.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_after_its_keepalives() {
    let Some(server) = Server::start("") else { return };
    let limits = Limits { keepalive: Duration::from_millis(200), ..Limits::default() };
    let session = Session::open(&server.route_with_key(), &server.pins(), limits).await.unwrap();
    let (_, output, _) = shell(&session, &format!("echo {SERVER_PROCESS}"), b"").await;
    let server_process = String::from_utf8(output).unwrap();
    run("kill", &["-STOP", server_process.trim()]);
    let command = ["sleep", "600"].map(str::to_owned);
    let ended = session.exec(&command, b"", &mut |_| {}, Duration::from_secs(120)).await;
    run("kill", &["-KILL", server_process.trim()]);
    let expected = format!("127.0.0.1:{} ended the connection: no answer to keepalives", server.port);
    assert_eq!(ended.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn keepalives_hold_a_quiet_session_open() {
    let Some(server) = Server::start("") else { return };
    let limits = Limits { keepalive: Duration::from_millis(50), ..Limits::default() };
    let session = Session::open(&server.route_with_key(), &server.pins(), limits).await.unwrap();
    assert_eq!(shell(&session, "sleep 1; echo done", b"").await.1, b"done\n");
    server.logs("keepalive@openssh.com");
}

#[tokio::test]
async fn closed_and_dropped_sessions_leave_no_connection() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let (_, output, _) = shell(&session, &format!("echo {SERVER_PROCESS}"), b"").await;
    session.close().await;
    let dropped = server.session().await;
    let (_, second, _) = shell(&dropped, &format!("echo {SERVER_PROCESS}"), b"").await;
    drop(dropped);
    for process in [output, second] {
        let process = String::from_utf8(process).unwrap();
        let entry = std::path::Path::new("/proc").join(process.trim());
        let gone = async {
            while entry.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the server still serves us");
    }
}
