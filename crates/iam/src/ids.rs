//! Ids as AWS makes them: four letters that say of what, and base32.
//!
//! An access key's id holds the account's number in its first six bytes, as AWS's do, so that GetAccessKeyInfo can tell it of keys
//! that nobody keeps.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes>

use kernel::{AccountId, Entropy, Secret};

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters of a secret access key.
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `AIDA…` and the like: 21 characters.
pub(crate) fn unique(entropy: &Entropy, prefix: &str) -> String {
    format!("{prefix}{}", entropy.text(BASE32, 17))
}

/// `AKIA…` or `ASIA…`: 20 characters.
pub(crate) fn access_key(entropy: &Entropy, prefix: &str, account: &AccountId) -> String {
    let number: u64 = account.as_str().parse().expect("an account has twelve digits");
    // The highest of 48 bits is set, the next 40 are the account, then 7 of chance.
    let head = (1 << 47) | (number << 7) | entropy.below(1 << 7);
    let value = (u128::from(head) << 32) | u128::from(entropy.below(1 << 32));
    let digits = (0..16).rev().map(|at| {
        let digit = (value >> (at * 5)) & 31;
        char::from(BASE32[usize::try_from(digit).expect("five bits")])
    });
    format!("{prefix}{}", digits.collect::<String>())
}

/// The account in an access key's id.
pub(crate) fn account_of(access_key_id: &str) -> Option<AccountId> {
    let digits = access_key_id.get(4..).filter(|digits| digits.len() == 16)?;
    let mut value = 0_u128;
    for byte in digits.bytes() {
        let digit = BASE32.iter().position(|found| *found == byte)?;
        value = value << 5 | u128::try_from(digit).ok()?;
    }
    format!("{:012}", (value >> 39) & ((1 << 40) - 1)).parse().ok()
}

/// 40 characters.
pub(crate) fn secret(entropy: &Entropy) -> Secret<String> {
    Secret::new(entropy.text(SECRET_ALPHABET, 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_account() {
        let entropy = Entropy::seeded(1);
        for account in ["000000000000", "123456789012", "999999999999"] {
            let account: AccountId = account.parse().unwrap();
            let id = access_key(&entropy, "AKIA", &account);
            assert_eq!((id.len(), account_of(&id)), (20, Some(account)), "{id}");
        }
        for id in ["", "AKIA", "AKIAIOSFODNN7EXAMPL1", "AKIA€€€€€"] {
            assert_eq!(account_of(id), None, "{id}");
        }
    }
}
