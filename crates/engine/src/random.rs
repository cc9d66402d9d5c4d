//! Words that nobody guesses.

/// A random word of lower-case letters and digits.
pub fn random_word(length: usize) -> String {
    const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("the kernel has random numbers");
    bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect()
}
