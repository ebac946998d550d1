//! Programs run on the host: arguments, standard input, output, how they end.

use std::time::{Duration, Instant};

use rocade::transport::ssh::{SshFault, Traffic};

use crate::server::{Server, shell};

const AMPLE: Duration = Duration::from_secs(120);

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn exit_codes_signals_and_standard_error() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    for status in [0, 1, 7, 255] {
        let (ended, _, errors) = shell(&session, &format!("echo no >&2; exit {status}"), b"").await;
        assert_eq!((ended, errors.as_slice()), (Some(status), &b"no\n"[..]));
    }
    let killed = words(&["sh", "-c", "kill -KILL $PPID"]);
    let exec = session.exec(&killed, b"", &mut |_| {}, AMPLE).await.unwrap();
    assert_eq!((exec.status, exec.signal.as_deref()), (None, Some("KILL")));
    let missing = session.exec(&words(&["no-such-program"]), b"", &mut |_| {}, AMPLE).await.unwrap();
    assert_eq!(missing.status, Some(127));
}

#[tokio::test]
async fn arguments_arrive_as_they_were_given() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let nasty = ["it's", "", "a  b", "$HOME", "`id`", "\n", "*", "é", "\\"];
    let command = [words(&["printf", "%s|"]), words(&nasty)].concat();
    let mut output = Vec::new();
    session.exec(&command, b"", &mut |bytes| output.extend_from_slice(bytes), AMPLE).await.unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), nasty.map(|word| format!("{word}|")).concat());
    let fault = session.exec(&words(&["echo", "a\0b"]), b"", &mut |_| {}, AMPLE).await.unwrap_err();
    assert!(matches!(fault, SshFault::Protocol { .. }), "{fault}");
}

#[tokio::test]
async fn five_megabytes_go_there_and_come_back_in_several_execs_of_one_connection() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let content: Vec<u8> = (0..5u32 << 20).map(|i| (i * 31 + i / 255) as u8).collect();
    let (status, output, _) = shell(&session, "cat", &content).await;
    assert_eq!(status, Some(0));
    assert!(output == content, "{} bytes came back", output.len());
    let both = tokio::join!(shell(&session, "cat; echo one", b"1"), shell(&session, "cat; echo two", b"2"));
    assert_eq!((both.0.1.as_slice(), both.1.1.as_slice()), (&b"1one\n"[..], &b"2two\n"[..]));
    let size = content.len() as u64;
    let expected = Traffic { execs: 3, bytes_in: size + 10, bytes_out: size + 2 };
    assert_eq!(session.traffic(), expected);
    session.close().await;
    assert_eq!(server.log().matches("Accepted publickey").count(), 1, "{}", server.log());
}

#[tokio::test]
async fn a_program_that_does_not_read_its_input_still_ends() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let content = vec![b'x'; 5 << 20];
    assert_eq!(shell(&session, "exit 3", &content).await.0, Some(3));
    assert_eq!(shell(&session, "echo still here", b"").await.1, b"still here\n");
}

#[tokio::test]
async fn a_limit_that_is_hit_is_named_and_the_session_lives_on() {
    let Some(server) = Server::start("") else { return };
    let session = server.session().await;
    let limit = Duration::from_millis(300);
    let fault = session.exec(&words(&["sleep", "600"]), b"", &mut |_| {}, limit).await.unwrap_err();
    let expected = format!("no answer from 127.0.0.1:{} within 0.3 s while running `sleep`", server.port);
    assert_eq!(fault.to_string(), expected);
    assert_eq!(shell(&session, "echo alive", b"").await.1, b"alive\n");
}

#[tokio::test]
async fn a_dropped_run_closes_its_channel() {
    let Some(server) = Server::start("MaxSessions 1\n") else { return };
    let session = server.session().await;
    let (endless, next) = (words(&["yes"]), words(&["echo", "next"]));
    let mut hear = |_: &[u8]| {};
    let run = session.exec(&endless, b"", &mut hear, AMPLE);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), run).await.is_err(),
        "it does not end by itself"
    );
    // The server allows one channel at a time: the next opens only once the dropped one was closed.
    let begin = Instant::now();
    while session.exec(&next, b"", &mut |_| {}, AMPLE).await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the channel is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
