//! What a runner says, told apart from what its steps print.

/// A message of the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// It is there: what came before was the login shell's.
    Hello,
    /// It can't keep what it is sent, in a folder of this place.
    Short(String),
    /// It heard a beat.
    Beat,
    /// This step begins.
    Start(u32),
    /// This step ended with this status.
    End(u32, i32),
    /// Whether the link leads where it was switched to.
    Answer(bool),
    /// The release is live for good: it doesn't go back any more.
    Confirmed,
    /// This frame has been worked through, well or not.
    Done(String, bool),
    /// It is about to end.
    Bye,
}

impl Message {
    fn parse(text: &str) -> Option<Message> {
        if let Some(place) = text.strip_prefix("short ") {
            return Some(Message::Short(place.to_owned()));
        }
        let mut words = text.split_ascii_whitespace();
        let message = match words.next()? {
            "beat" => Message::Beat,
            "start" => Message::Start(words.next()?.parse().ok()?),
            "end" => Message::End(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
            "answer" => Message::Answer(words.next()? == "yes"),
            "confirmed" => Message::Confirmed,
            "done" => Message::Done(words.next()?.to_owned(), words.next()? == "0"),
            "bye" => Message::Bye,
            _ => return None,
        };
        words.next().is_none().then_some(message)
    }
}

/// A chunk of one of the runner's two outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// What somebody printed.
    Bytes(Vec<u8>),
    /// What the runner said.
    Message(Message),
}

/// Finds the runner's messages in a stream, wherever the stream was cut.
///
/// A runner greets once, with a word that everybody can read in the list of processes, and says in it the nonce that marks
/// all that follows. Who greets later is no runner.
#[derive(Debug)]
pub struct Decoder {
    mark: Vec<u8>,
    greeted: bool,
    kept: Vec<u8>,
}

/// No message is longer; what claims to be one is output.
const LONGEST_MESSAGE: usize = 200;

impl Decoder {
    /// A decoder for a runner that greets with this word.
    pub fn new(greeting: &str) -> Self {
        Self { mark: mark_of(greeting), greeted: false, kept: Vec::new() }
    }

    fn understand(&mut self, text: &str) -> Option<Message> {
        if self.greeted {
            return Message::parse(text);
        }
        let nonce = text.strip_prefix("hello ").filter(|nonce| is_nonce(nonce))?;
        self.mark = mark_of(nonce);
        self.greeted = true;
        Some(Message::Hello)
    }

    /// Takes the next bytes, and gives back all that is certain.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Chunk> {
        self.kept.extend_from_slice(bytes);
        let mut chunks = Vec::new();
        let mut done = 0;
        let mut at = 0;
        while let Some(found) = self.kept[at..].iter().position(|byte| *byte == self.mark[0]) {
            at += found;
            let rest = &self.kept[at..];
            let seen = rest.len().min(self.mark.len());
            if rest[..seen] != self.mark[..seen] {
                at += 1;
                continue;
            }
            let end = rest.iter().take(LONGEST_MESSAGE).position(|byte| *byte == b'\n');
            let Some(end) = end else {
                if rest.len() < LONGEST_MESSAGE {
                    break;
                }
                at += 1;
                continue;
            };
            let text =
                rest.get(self.mark.len()..end).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            let Some(message) = self.understand(&text) else {
                at += 1;
                continue;
            };
            push_bytes(&mut chunks, &self.kept[done..at]);
            chunks.push(Chunk::Message(message));
            at += end + 1;
            done = at;
        }
        let certain = if self.kept[at..].first() == Some(&self.mark[0]) { at } else { self.kept.len() };
        push_bytes(&mut chunks, &self.kept[done..certain]);
        self.kept.drain(..certain);
        chunks
    }

    /// What is left when the stream has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }
}

fn mark_of(word: &str) -> Vec<u8> {
    format!("\x1e{word} ").into_bytes()
}

/// Long enough that nobody guesses it.
fn is_nonce(word: &str) -> bool {
    word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn push_bytes(chunks: &mut Vec<Chunk>, bytes: &[u8]) {
    if !bytes.is_empty() {
        chunks.push(Chunk::Bytes(bytes.to_vec()));
    }
}

/// Bytes as lines of text, for people.
#[derive(Debug, Default)]
pub struct LineBuffer {
    kept: Vec<u8>,
}

/// A line is cut here: a step that prints a gigabyte without a newline must not fill the deployer's memory.
const LONGEST_LINE: usize = 16 * 1024;

impl LineBuffer {
    /// Takes bytes, and gives back the lines that are complete, without their ends.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for chunk in part.chunks(LONGEST_LINE) {
                self.kept.extend_from_slice(chunk);
                if self.kept.ends_with(b"\n") || self.kept.len() >= LONGEST_LINE {
                    lines.extend(self.finish());
                }
            }
        }
        lines
    }

    /// The last line, if it had no end.
    pub fn finish(&mut self) -> Option<String> {
        if self.kept.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.kept);
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(stream: &[u8], chunk: usize) -> Vec<Chunk> {
        let mut decoder = Decoder::new("greeting");
        let mut chunks: Vec<Chunk> = Vec::new();
        for bytes in stream.chunks(chunk) {
            for chunk in decoder.feed(bytes) {
                match (chunks.last_mut(), chunk) {
                    (Some(Chunk::Bytes(last)), Chunk::Bytes(more)) => last.extend(more),
                    (_, chunk) => chunks.push(chunk),
                }
            }
        }
        let rest = decoder.finish();
        match chunks.last_mut() {
            _ if rest.is_empty() => {}
            Some(Chunk::Bytes(last)) => last.extend(rest),
            _ => chunks.push(Chunk::Bytes(rest)),
        }
        chunks
    }

    #[test]
    fn messages_are_found_wherever_the_stream_is_cut() {
        let stream = b"noise\x1egreeting hello n0nce-n0nce-n0nce\n\x1en0nce-n0nce-n0nce start 7\nno newline\
            \x1en0nce-n0nce-n0nce end 7 137\n\x1en0nc\x1en0nce-n0nce-n0nce done p0 1\n\
            \x1en0nce-n0nce-n0nce short /a place\n";
        let expected = vec![
            Chunk::Bytes(b"noise".to_vec()),
            Chunk::Message(Message::Hello),
            Chunk::Message(Message::Start(7)),
            Chunk::Bytes(b"no newline".to_vec()),
            Chunk::Message(Message::End(7, 137)),
            Chunk::Bytes(b"\x1en0nc".to_vec()),
            Chunk::Message(Message::Done("p0".into(), false)),
            Chunk::Message(Message::Short("/a place".into())),
        ];
        for chunk in 1..stream.len() {
            assert_eq!(split(stream, chunk), expected, "in chunks of {chunk}");
        }
    }

    #[test]
    fn what_only_looks_like_a_message_is_output() {
        let greeting = b"\x1egreeting hello n0nce-n0nce-n0nce\n";
        // The last ones speak as whoever has read the command line, which gives the greeting and not the nonce.
        let stream = b"\x1en0nce-n0nce-n0nce what\n\x1eother hello\n\x1en0nce-n0nce-n0nce end 1\n\
            \x1egreeting hello n0nce-of-s0mebody\n\x1egreeting done p0 0\n\x1en0nce-of-s0mebody done p0 0\n";
        let expected = vec![Chunk::Message(Message::Hello), Chunk::Bytes(stream.to_vec())];
        assert_eq!(split(&[&greeting[..], stream].concat(), 3), expected);
        // Before the greeting nobody speaks, and one without a nonce is none.
        let early = b"\x1egreeting done p0 0\n\x1egreeting hello\n\x1egreeting hello short\n";
        assert_eq!(split(early, 3), vec![Chunk::Bytes(early.to_vec())]);
    }

    #[test]
    fn lines_are_cut_cleaned_and_bounded() {
        let mut buffer = LineBuffer::default();
        assert_eq!(buffer.feed(b"one\r\ntw"), ["one"]);
        assert_eq!(buffer.feed(b"o\n\xff\n"), ["two", "\u{fffd}"]);
        assert_eq!(buffer.feed(&vec![b'x'; 3 * LONGEST_LINE + 1]).len(), 3);
        assert_eq!(buffer.finish().as_deref(), Some("x"));
        assert_eq!(buffer.finish(), None);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(stream in proptest::collection::vec(prop_oneof![Just(0x1e), Just(b'n'), any::<u8>()], 0..300),
                           chunk in 1usize..20) {
            let bytes: Vec<u8> = split(&stream, chunk).into_iter().flat_map(|chunk| match chunk {
                Chunk::Bytes(bytes) => bytes,
                Chunk::Message(_) => Vec::new(),
            }).collect();
            prop_assert_eq!(bytes, stream);
        }
    }
}
