//! What one side writes the other reads; what is damaged is said to be.

use proptest::prelude::*;

use super::super::*;
use super::*;
use crate::model::Secret;

fn text(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn every_ask() -> Vec<Ask> {
    vec![
        Ask::Facts,
        Ask::File { path: "/etc/a b'c\"d\\e".into() },
        Ask::Content { path: "/etc/é".into() },
        Ask::Files { directory: "/etc/mosquitto".into() },
        Ask::Package { name: "libstdc++6".into() },
        Ask::Service { name: "mosquitto".into(), watch: text(&["/etc/mosquitto/conf.d", "/etc/x"]) },
        Ask::Service { name: "cron".into(), watch: vec![] },
        Ask::User { name: "mosquitto".into() },
        Ask::Get { url: "http://127.0.0.1/api/system?a=b&c='d'".into() },
        Ask::Listening,
        Ask::Firewall { table: "inet rocade".into() },
        Ask::Ruleset,
    ]
}

fn every_order() -> Vec<Order> {
    let (mode, owner, group) = ("0640".to_owned(), "root".to_owned(), "mosquitto".to_owned());
    let put = |path: &str, content: Vec<u8>| Order::Put {
        path: path.into(),
        content: Secret::new(content, "test"),
        mode: mode.clone(),
        owner: owner.clone(),
        group: group.clone(),
    };
    let secret = |text: &str| Secret::new(text, "test");
    vec![
        put("/etc/empty", vec![]),
        put("/etc/every byte", (0..=255).collect()),
        put("/etc/block's edge", vec![b'x'; 3072]),
        put("/etc/large", (0..100_000u32).map(|n| (n * 7 % 251) as u8).collect()),
        Order::Own { path: "/etc/x".into(), mode: mode.clone(), owner: owner.clone(), group: group.clone() },
        Order::Directory { path: "/etc/d".into(), mode, owner, group },
        Order::Remove { path: "/etc/old".into() },
        Order::Install { package: "mosquitto".into() },
        Order::Service { name: "mosquitto".into(), act: ServiceAct::Restart, watch: text(&["/etc/x"]) },
        Order::User { name: "relay".into(), home: "/var/lib/relay".into() },
        Order::Trial { argv: text(&["mosquitto", "-c", "/a b"]), seconds: 3 },
        Order::Run { argv: text(&["cat", ""]), stdin: secret("in") },
        Order::Send { method: "PUT", url: "http://127.0.0.1/api/x".into(), body: secret("{}") },
        Order::Keep {
            name: "rocade-1".into(),
            things: vec![
                Thing::File("/etc/a b=c".into()),
                Thing::Service("ssh".into()),
                Thing::Page("http://127.0.0.1/api/x?y=z".into()),
                Thing::Table("inet rocade".into()),
            ],
        },
        Order::Arm { name: "rocade-1".into(), seconds: 120 },
        Order::Confirm { name: "rocade-1".into() },
        Order::Revert { name: "rocade-1".into() },
        Order::Lock { holder: "a1".into(), seconds: 60, words: "ada, from here".into() },
        Order::Unlock { holder: "a1".into() },
    ]
}

#[test]
fn asks_survive_the_way() {
    let mut stream = b"a password that sudo did not take\n".to_vec();
    stream.extend(encode_asks(&every_ask()).unwrap());
    assert_eq!(decode_asks(&stream).unwrap(), every_ask());
}

#[test]
fn orders_survive_the_way() {
    let stream = encode_orders(&every_order()).unwrap();
    let back = decode_orders(&stream).unwrap();
    assert_eq!(*encode_orders(&back).unwrap(), *stream);
    let (Order::Put { content: ours, .. }, Order::Put { content: theirs, .. }) =
        (&every_order()[3], &back[3])
    else {
        panic!("the fourth order is a large file");
    };
    assert_eq!(ours.reveal(), theirs.reveal());
}

#[test]
fn nothing_is_sent_that_could_be_taken_for_another_request() {
    for path in ["/etc/a\nend", "/etc/\u{1f}", "/etc/\0", "etc/x", "/etc/../x", "/etc//x", "/", "", "/etc/"] {
        assert!(encode_asks(&[Ask::File { path: path.into() }]).is_err(), "{path:?}");
    }
    for name in ["", "-x", "a/b", "a b", "../x", "a\n"] {
        assert!(check_ask(&Ask::User { name: name.into() }).is_err(), "{name:?}");
        assert!(check_ask(&Ask::Package { name: name.into() }).is_err(), "{name:?}");
    }
    assert!(check_order(&Order::Run { argv: vec![], stdin: Secret::new("", "x") }).is_err());
}

#[test]
fn a_cut_stream_of_orders_is_noticed() {
    let stream = encode_orders(&every_order()).unwrap();
    for end in [0, 5, stream.len() / 2, stream.len() - 2] {
        assert!(decode_orders(&stream[..end]).is_err(), "cut at {end}");
    }
}

fn every_answer() -> Vec<Answer> {
    let file = |kind, sha256: Option<&str>| {
        Answer::File(Some(FileFacts {
            kind,
            mode: "644".into(),
            owner: "root".into(),
            group: "root".into(),
            size: 3,
            sha256: sha256.map(|digit| digit.repeat(64)),
        }))
    };
    let facts = [("os", "debian"), ("kernel", "6.1=x")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let user = UserFacts {
        uid: 104,
        home: "/var/lib/m".into(),
        shell: "/bin/false".into(),
        groups: text(&["m", "ssl"]),
    };
    vec![
        Answer::Facts(facts.into()),
        file(FileKind::Regular, Some("a")),
        Answer::Content(Some(Secret::new(vec![0, 10, 30, 31, 255], "test"))),
        Answer::Names(text(&["/etc/mosquitto/a b", "/etc/mosquitto/c"])),
        Answer::Version(Some("12.2.0-14".into())),
        Answer::Service(Some(ServiceFacts { enabled: true, running: true, current: false })),
        Answer::Service(None),
        Answer::User(Some(user)),
        Answer::Page(Page { status: 200, body: Secret::new("{}", "test") }),
        Answer::Names(text(&["127.0.0.1:1883", "[::]:8883"])),
        Answer::Content(None),
        Answer::Content(Some(Secret::new("table inet x {\n}\n", "test"))),
    ]
}

fn decode(asks: &[Ask], stream: &[u8], piece: usize) -> Vec<Answer> {
    let mut decoder = AnswerDecoder::new(asks);
    stream.chunks(piece).for_each(|piece| decoder.feed(piece));
    decoder.finish("cut off")
}

#[test]
fn answers_survive_the_way_in_any_pieces() {
    let asks = every_ask();
    let stream = encode_answers(&asks, &every_answer());
    assert_eq!(stream.iter().filter(|byte| **byte == RECORD).count(), asks.len() + 4, "none left out");
    for piece in [1, 7, stream.len()] {
        assert_eq!(encode_answers(&asks, &decode(&asks, &stream, piece)), stream, "pieces of {piece}");
    }
}

#[test]
fn other_things_than_files_and_absence_have_answers() {
    let asks = ["/d", "/l", "/o", "/none", "/odd"].map(|path| Ask::File { path: path.into() });
    let stream = b"\x1efile\x1f./d\x1f41ed\x1froot\x1froot\x1f4096\x1f\n\
        \x1efile\x1f./l\x1fa1ff\x1froot\x1froot\x1f4\x1f\n\
        \x1efile\x1f./o\x1f1180\x1froot\x1froot\x1f0\x1f\n\
        \x1efile-unread\x1f./odd\x1fbm8=\x1f\n\x1eend\x1f\n";
    let answers = format!("{:?}", decode(&asks, stream, 9));
    for part in ["Directory, mode: \"755\"", "Link", "Other", "File(None)", "Unread(\"no\")"] {
        assert!(answers.contains(part), "{part} in {answers}");
    }
}

#[test]
fn without_the_end_nothing_counts_as_absent() {
    let asks = [Ask::File { path: "/x".into() }, Ask::Package { name: "x".into() }, Ask::Listening];
    for answer in decode(&asks, b"welcome\n", 3) {
        assert!(matches!(&answer, Answer::Unread(why) if why == "cut off"), "{answer:?}");
    }
}

#[test]
fn beside_a_damaged_record_nothing_counts_as_absent() {
    let asks = [Ask::File { path: "/x".into() }, Ask::Package { name: "x".into() }];
    for damaged in
        ["file\x1f./x\x1f81a4\x1froot\x1froot\x1f3k\x1f", "file\x1f./x\x1f81a4\x1fro", "9\x1fo\x1f"]
    {
        for answer in decode(&asks, format!("\x1e{damaged}\n\x1eend\x1f\n").as_bytes(), 7) {
            assert!(matches!(&answer, Answer::Unread(why) if why.contains("damaged")), "{answer:?}");
        }
    }
}

fn rulings(total: usize, stream: &[u8]) -> Vec<Ruling> {
    let mut out = Vec::new();
    let mut decoder = RulingDecoder::new(total);
    let mut each = |index: usize, ruling: Ruling| {
        assert_eq!(index, out.len(), "each once and in order");
        out.push(ruling);
    };
    stream.chunks(5).for_each(|piece| decoder.feed(piece, &mut each));
    decoder.finish("cut off", &mut each);
    out
}

#[test]
fn rulings_after_a_failure_are_not_started_and_after_a_cut_unknown() {
    let done = Ruling::Done(Done { output: "é".into() });
    let failed = Ruling::Failed("disk full".into());
    let mut stream = encode_begin();
    stream.extend(encode_ruling(0, &done));
    let cut = rulings(3, &stream);
    let unknown = || Ruling::Unknown("cut off".into());
    assert_eq!(cut, [done.clone(), unknown(), unknown()]);
    stream.extend(encode_ruling(1, &failed));
    stream.extend(encode_end());
    assert_eq!(rulings(3, &stream), [done, failed, Ruling::NotStarted]);
}

proptest! {
    #[test]
    fn garbage_is_never_a_panic(
        garbage in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<proptest::sample::Index>(),
    ) {
        let asks = every_ask();
        let mut stream = encode_answers(&asks, &every_answer());
        let at = at.index(stream.len());
        stream.splice(at..at, garbage.iter().copied());
        prop_assert_eq!(decode(&asks, &stream, 11).len(), asks.len());
        prop_assert_eq!(decode(&asks, &garbage, 11).len(), asks.len());
        prop_assert_eq!(rulings(4, &garbage).len(), 4);
        let _ = decode_asks(&garbage);
        let mut orders = encode_orders(&every_order()).unwrap().to_vec();
        let at = at.min(orders.len());
        orders.splice(at..at, garbage);
        let _ = decode_orders(&orders);
    }

    #[test]
    fn half_an_answer_is_unread_or_whole(at in any::<proptest::sample::Index>()) {
        let (asks, answers) = (every_ask(), every_answer());
        let stream = encode_answers(&asks, &answers);
        for (answer, whole) in decode(&asks, &stream[..at.index(stream.len())], 13).iter().zip(&answers) {
            let same = std::mem::discriminant(answer) == std::mem::discriminant(whole);
            prop_assert!(same || matches!(answer, Answer::Unread(_)), "{:?} for {:?}", answer, whole);
        }
    }
}
