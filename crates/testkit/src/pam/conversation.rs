//! The scripted person: answers prompts in order and remembers all that was
//! said.

use super::ffi;
use std::collections::VecDeque;
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::sync::Mutex;

const PROMPT_ECHO_OFF: c_int = 1;
const PROMPT_ECHO_ON: c_int = 2;
const ERROR_MSG: c_int = 3;
const TEXT_INFO: c_int = 4;

/// What the person does at one prompt.
pub enum Reply {
    /// Types this.
    Text(String),
    /// Types these bytes; libpam sees them up to the first NUL.
    Bytes(Vec<u8>),
    /// Success, but the answer's string is NULL (the person pressed Ctrl-D).
    Null,
    /// Success, but there is no array of answers at all.
    NoResponse,
    /// `PAM_CONV_ERR`: the person went away.
    Fail,
    /// `PAM_CONV_AGAIN`: an event-driven application is not ready yet.
    FailAgain,
    /// Reads all that was said so far, and types what follows from it.
    Reading(Box<dyn FnOnce(&str) -> String + Send>),
    /// Lets something happen while the person is thinking, then replies.
    After(Box<dyn FnOnce() + Send>, Box<Reply>),
}

impl Reply {
    /// Lets `event` happen at the prompt before the reply is given.
    pub fn after(event: impl FnOnce() + Send + 'static, reply: impl Into<Reply>) -> Self {
        Self::After(Box::new(event), Box::new(reply.into()))
    }

    /// Replies with what `read` makes of all texts so far, a line each.
    pub fn reading(read: impl FnOnce(&str) -> String + Send + 'static) -> Self {
        Self::Reading(Box::new(read))
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What a module can say or ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `PAM_PROMPT_ECHO_OFF`
    EchoOff,
    /// `PAM_PROMPT_ECHO_ON`
    EchoOn,
    /// `PAM_ERROR_MSG`
    Error,
    /// `PAM_TEXT_INFO`
    Info,
    /// Any other.
    Other(c_int),
}

/// How information and error messages are answered.
#[derive(Clone, Copy, Default)]
pub(super) enum Manners {
    /// As an ordinary application does: with an empty answer.
    #[default]
    Polite,
    /// With `PAM_CONV_ERR`.
    Mute,
    /// With success and no array of answers.
    NoResponse,
}

/// The state of the conversation, shared with libpam by address.
#[derive(Default)]
pub(super) struct Conversation(Mutex<Script>);

#[derive(Default)]
pub(super) struct Script {
    pub(super) replies: VecDeque<Reply>,
    pub(super) manners: Manners,
    pub(super) prompts: Vec<(Style, String)>,
    pub(super) delays: Vec<u32>,
}

impl Conversation {
    pub(super) fn script<T>(&self, look: impl FnOnce(&mut Script) -> T) -> T {
        look(&mut self.0.lock().expect("the conversation"))
    }

    pub(super) fn as_conv(&self) -> ffi::Conv {
        ffi::Conv {
            function: converse,
            data: std::ptr::from_ref(self).cast_mut().cast(),
        }
    }

    fn answer(&self, style: c_int, text: String) -> Result<Answer, c_int> {
        let style = match style {
            PROMPT_ECHO_OFF => Style::EchoOff,
            PROMPT_ECHO_ON => Style::EchoOn,
            ERROR_MSG => Style::Error,
            TEXT_INFO => Style::Info,
            other => Style::Other(other),
        };
        let (reply, manners) = self.script(|script| {
            script.prompts.push((style, text));
            let is_prompt = matches!(style, Style::EchoOff | Style::EchoOn);
            (
                is_prompt.then(|| script.replies.pop_front()),
                script.manners,
            )
        });
        match (reply, style) {
            (Some(Some(reply)), _) => self.act(reply),
            // A prompt that the test did not foresee, or one that no
            // application of ours understands.
            (Some(None), _) | (None, Style::Other(_)) => Err(super::CONV_ERR),
            (None, _) => match manners {
                Manners::Polite => Ok(Answer::Text(None)),
                Manners::Mute => Err(super::CONV_ERR),
                Manners::NoResponse => Ok(Answer::NoArray),
            },
        }
    }
}

enum Answer {
    Text(Option<Vec<u8>>),
    NoArray,
}

impl Conversation {
    // Runs without the lock: an event may look at anything, and take its time.
    fn act(&self, reply: Reply) -> Result<Answer, c_int> {
        match reply {
            Reply::Text(text) => Ok(Answer::Text(Some(text.into_bytes()))),
            Reply::Bytes(bytes) => Ok(Answer::Text(Some(bytes))),
            Reply::Null => Ok(Answer::Text(None)),
            Reply::NoResponse => Ok(Answer::NoArray),
            Reply::Fail => Err(super::CONV_ERR),
            Reply::FailAgain => Err(super::CONV_AGAIN),
            Reply::After(event, reply) => {
                event();
                self.act(*reply)
            }
            Reply::Reading(read) => {
                let said = self.script(|script| {
                    let texts = script.prompts.iter().map(|(_, text)| &**text);
                    texts.collect::<Vec<_>>().join("\n")
                });
                Ok(Answer::Text(Some(read(&said).into_bytes())))
            }
        }
    }
}

/// Does not wait; remembers how long a person would have.
///
/// # Safety
/// `data` is the address of a live `Conversation`; libpam hands back what
/// `as_conv` gave it.
pub(super) unsafe extern "C" fn fail_delay(status: c_int, microseconds: c_uint, data: *mut c_void) {
    // SAFETY: by the contract above.
    let conversation = unsafe { &*data.cast::<Conversation>() };
    // libpam calls this after every authentication, the successful and those
    // that nobody wants delayed included.
    if status != super::SUCCESS && microseconds > 0 {
        conversation.script(|script| script.delays.push(microseconds));
    }
}

/// # Safety
/// The contract of pam_conv(3): `count` valid message pointers, room for one
/// pointer at `responses`, and our own `data`.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const ffi::Message,
    responses: *mut *mut ffi::Response,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is what `as_conv` gave to libpam.
    let conversation = unsafe { &*data.cast::<Conversation>() };
    let count = usize::try_from(count).unwrap_or(0);
    let mut answers = Vec::new();
    for index in 0..count {
        // SAFETY: Linux-PAM passes an array of `count` pointers to messages
        // whose texts are NUL-terminated.
        let (style, text) = unsafe {
            let message = &**messages.add(index);
            (
                message.style,
                CStr::from_ptr(message.text).to_string_lossy().into_owned(),
            )
        };
        match conversation.answer(style, text) {
            Ok(answer) => answers.push(answer),
            Err(code) => return code,
        }
    }
    let array = match answers
        .iter()
        .any(|answer| matches!(answer, Answer::NoArray))
    {
        true => std::ptr::null_mut(),
        false => allocate(answers),
    };
    // SAFETY: libpam gave room for one pointer.
    unsafe { *responses = array };
    super::SUCCESS
}

/// The answers in memory of malloc, because the module frees them.
fn allocate(answers: Vec<Answer>) -> *mut ffi::Response {
    // SAFETY: calloc with a size that is not zero; zeroes are valid responses.
    let array: *mut ffi::Response =
        unsafe { libc::calloc(answers.len().max(1), size_of::<ffi::Response>()).cast() };
    assert!(!array.is_null(), "out of memory");
    for (index, answer) in answers.into_iter().enumerate() {
        let Answer::Text(Some(bytes)) = answer else {
            continue;
        };
        // SAFETY: the copy has room for the bytes and the NUL that calloc put
        // after them; `index` is inside the array.
        unsafe {
            let copy = libc::calloc(bytes.len() + 1, 1);
            assert!(!copy.is_null(), "out of memory");
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy.cast(), bytes.len());
            (*array.add(index)).text = copy.cast();
        }
    }
    array
}
