//! The check sum that every host can make by itself: the one of POSIX's `cksum`.

/// The check sum of some bytes, which come in any number of chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckSum {
    value: u32,
    /// How many bytes came.
    pub length: u64,
}

impl CheckSum {
    /// Takes the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.value = bytes.iter().fold(self.value, |value, byte| step(value, *byte));
    }

    /// The number that `cksum` prints first. It counts the length as well, in as many bytes as that has.
    pub fn end(self) -> u32 {
        let bytes = self.length.to_le_bytes();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        !bytes[..used].iter().fold(self.value, |value, byte| step(value, *byte))
    }
}

/// As `cksum` prints it of what it reads from its standard input.
impl std::fmt::Display for CheckSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.end(), self.length)
    }
}

fn step(value: u32, byte: u8) -> u32 {
    (value << 8) ^ TABLE[usize::from((value >> 24) as u8 ^ byte)]
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 0x8000_0000 == 0 { value << 1 } else { (value << 1) ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn it_is_the_one_that_hosts_make() {
        for length in [0, 1, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at * 7 % 251) as u8).collect();
            let mut command = Command::new("cksum");
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
            child.stdin.take().expect("it is piped").write_all(&bytes).expect("it reads");
            let output = child.wait_with_output().expect("it ends");
            let mut sum = CheckSum::default();
            bytes.chunks(1000).for_each(|chunk| sum.add(chunk));
            let said = String::from_utf8(output.stdout).expect("numbers");
            assert_eq!(said.trim(), sum.to_string());
            assert_eq!(sum.length, u64::from(length));
        }
    }
}
