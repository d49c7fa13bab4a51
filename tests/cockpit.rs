//! A real Cockpit asks for the code after the password, over HTTP.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a helper that fails is a broken test"
)]

mod world;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;

use world::{PASSWORD, QUESTION, SOON, World};

const PROGRAM: &str = "/usr/lib/cockpit/cockpit-ws";

/// cockpit-ws on a port of its own on 127.0.0.1, ended on drop.
struct Cockpit {
    process: Child,
    port: u16,
}

/// What it answers.
struct Answer {
    status: u16,
    text: String,
}

impl Cockpit {
    fn start(world: &World) -> Self {
        // Newer versions ask systemd for a session, and there is none here.
        let config = "[WebService]\nAllowUnencrypted = true\n\
                      [Basic]\nCommand = /usr/lib/cockpit/cockpit-session\n";
        world
            .sandbox
            .write("/etc/cockpit/cockpit.conf", config, 0o644);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = world.sandbox.command(PROGRAM);
        command.args(["--no-tls", "--address=127.0.0.1", &format!("--port={port}")]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().expect("start cockpit-ws");
        let mut cockpit = Self { process, port };
        cockpit.wait_until_it_answers();
        cockpit
    }

    fn wait_until_it_answers(&mut self) {
        let end = Instant::now() + SOON;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.process.try_wait().expect("wait for cockpit-ws");
            assert!(ended.is_none(), "cockpit-ws ended: {ended:?}");
            assert!(Instant::now() < end, "cockpit-ws does not listen");
            std::thread::yield_now();
        }
    }

    /// `GET /cockpit/login`, as the login page does it.
    fn login(&self, authorization: &str) -> Answer {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("connect");
        connection.set_read_timeout(Some(SOON)).expect("a timeout");
        let request = format!(
            "GET /cockpit/login HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\
             Authorization: {authorization}\r\n\r\n",
            self.port
        );
        connection.write_all(request.as_bytes()).expect("ask");
        // To the end of the head: cockpit-ws keeps the connection open.
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte).expect("an answer");
            text.extend(byte);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let status = text.split(' ').nth(1).expect("a status");
        Answer {
            status: status.parse().expect("a number"),
            text,
        }
    }

    /// Password, then code; what the second question was answered with.
    fn enter(&self, user: &str, password: &str, code: &str) -> Answer {
        let first = self.login(&format!("Basic {}", base64(&format!("{user}:{password}"))));
        assert_eq!(first.status, 401, "{}", first.text);
        let (id, question) = first.conversation();
        assert_eq!(question, base64(QUESTION));
        self.login(&format!("X-Conversation {id} {}", base64(code)))
    }
}

impl Drop for Cockpit {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    /// `WWW-Authenticate: X-Conversation ID QUESTION`
    fn conversation(&self) -> (&str, &str) {
        let header = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix("WWW-Authenticate: X-Conversation "));
        header
            .and_then(|words| words.split_once(' '))
            .unwrap_or_else(|| panic!("no question: {}", self.text))
    }
}

/// RFC 4648, section 4.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let bytes = [0, 1, 2].map(|place| group.get(place).copied().unwrap_or(0));
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            let letter = char::from(ALPHABET[index as usize]);
            encoded.push(if place > group.len() { '=' } else { letter });
        }
    }
    encoded
}

#[test]
fn the_panel_asks_for_the_code_after_the_password() {
    if !Path::new(PROGRAM).exists() {
        eprintln!("SKIPPED: this test needs the package cockpit-ws");
        return;
    }
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("cockpit", "cockpit");
    let phone = world.enrol("alice");
    let cockpit = Cockpit::start(&world);

    let code = phone.code();
    let entered = cockpit.enter("alice", PASSWORD, &code);
    assert_eq!(entered.status, 200, "{}", entered.text);
    assert!(
        entered.text.contains("Set-Cookie: cockpit="),
        "{}",
        entered.text
    );

    let refused = |user: &str, password: &str, code: &str| {
        let refused = cockpit.enter(user, password, code);
        assert_eq!(refused.status, 401, "{}", refused.text);
        refused.text
    };
    refused("alice", PASSWORD, &code);
    let wrong_code = refused("alice", PASSWORD, &phone.wrong_code());
    assert_eq!(refused("alice", "wrong", &phone.next_code()), wrong_code);
    assert_eq!(refused("nobody-here", PASSWORD, &code), wrong_code);

    let from = ["user=alice", "service=cockpit", "rhost=127.0.0.1"];
    for (outcome, reason) in [
        ("outcome=granted", "reason=code"),
        ("outcome=denied", "reason=used_code"),
        ("outcome=denied", "reason=wrong_code"),
    ] {
        world.logged(&[&from[..], &[outcome, reason]].concat());
    }
}
