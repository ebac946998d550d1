//! The envelope as a value; the rest is tried on a simulated device in `tests/redeploy`.

use super::*;

fn open(status: u16, body: &str) -> Result<Json, WebFault> {
    opened("192.168.2.1:443", status, body.as_bytes())
}

#[test]
fn a_result_needs_a_good_status_twice() {
    assert_eq!(open(200, r#"{"code":200,"status":"success","result":{"a":1}}"#).unwrap()["a"], 1);
    assert_eq!(open(200, r#"{"code":200,"status":"success"}"#).unwrap(), Json::Null, "commands give none");
    for (status, body) in [
        (200, ""),
        (200, "<html>"),
        (200, r#"{"code":200,"status":"success","result":{"a""#),
        (200, r#"{"result":{}}"#),
        (200, "[]"),
        (200, r#"{"status":"error","result":{}}"#),
        (500, r#"{"code":200,"status":"success","result":{}}"#),
    ] {
        assert!(open(status, body).is_err(), "{status} {body}");
    }
}

#[test]
fn the_devices_own_words_and_status_are_kept() {
    let fault = open(400, r#"{"status":"fail","error":"commissioning is finished"}"#).unwrap_err();
    assert_eq!((fault.status(), fault.words()), (Some(400), Some("commissioning is finished")));
    let inside = open(200, r#"{"code":401,"status":"fail","error":"authorize failed"}"#).unwrap_err();
    assert_eq!(inside.status(), Some(401));
    assert_eq!(open(502, "<html>Bad Gateway").unwrap_err().status(), Some(502));
}

#[test]
fn a_cookie_line_gives_its_token() {
    let line = "token=A6C2C501BA925D19BE24DFAA98BD321; Path=/; SameSite=Strict; Secure; HttpOnly";
    assert_eq!(login::token_of(line), Some("A6C2C501BA925D19BE24DFAA98BD321"));
    assert_eq!(login::token_of("session=1; token=2"), None);
}
