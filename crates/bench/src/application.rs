//! The program that people log in to: `application.c`, built here.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Builds it into `directory`.
pub(crate) fn build(directory: &Path) -> PathBuf {
    std::fs::create_dir_all(directory).expect("make the directory of the measurement");
    let program = directory.join("application");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O2", "-Wall", "-Wextra", "-o"])
        .arg(&program);
    compiler.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/application.c"));
    let status = compiler.arg("-lpam").status().expect("start cc");
    assert!(status.success(), "application.c does not build");
    program
}

/// How one transaction went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login {
    pub(crate) entered: bool,
    /// Microseconds from `pam_start` to `pam_end`.
    pub(crate) whole: f64,
    /// Microseconds of `pam_start`, which loads the module.
    pub(crate) loading: f64,
    /// KiB of resident memory before `pam_end`.
    pub(crate) memory: f64,
}

impl Login {
    /// Reads the application's answer.
    pub(crate) fn parse(line: &str) -> Self {
        let words: Vec<f64> = line
            .split_whitespace()
            .map(|word| {
                word.parse()
                    .unwrap_or_else(|_| panic!("not a login: {line:?}"))
            })
            .collect();
        let [status, whole, loading, memory] = words[..] else {
            panic!("not a login: {line:?}")
        };
        Self {
            entered: status == 0.0,
            whole: whole / 1000.0,
            loading: loading / 1000.0,
            memory,
        }
    }
}

/// One running application.
pub(crate) struct Application {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Application {
    pub(crate) fn start(program: &Path, stacks: &Path) -> Self {
        let mut process = Command::new(program)
            .arg(stacks)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the application");
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self {
            process,
            orders,
            answers,
        }
    }

    /// Gives an order, and does not wait for its answer.
    pub(crate) fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("a pipe");
        orders
            .write_all(format!("{order}\n").as_bytes())
            .expect("give an order");
    }

    /// Waits for the answer to the next order.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("read an answer");
        assert!(line.ends_with('\n'), "the application ended early");
        line
    }

    /// One transaction.
    pub(crate) fn login(&mut self, order: &str) -> Login {
        self.order(order);
        Login::parse(&self.answer())
    }

    /// Waits until it is loaded, and waits for orders itself.
    pub(crate) fn ready(&mut self) {
        self.order("ready");
        self.answer();
    }

    pub(crate) fn restore(&mut self, orders: &[String]) {
        for order in orders {
            self.order(order);
            self.answer();
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.orders.take());
        let _ = self.process.wait();
    }
}
