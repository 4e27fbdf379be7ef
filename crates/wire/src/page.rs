//! Opaque tokens for the next page: clients must pass them back unread.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token that stands for "after `position`".
pub fn token(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

/// The position a token stands for; none if we did not write it.
pub fn position(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
