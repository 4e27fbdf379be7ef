//! The form of a query's result object: header and every value in double quotes, a quote in a value doubled, NULL as nothing
//! between the commas, each row ended by `\n`. So an empty string (`""`) differs from NULL.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/querying.html>

use ports::Row;

/// Appends a row.
pub(crate) fn write<'a>(out: &mut Vec<u8>, values: impl IntoIterator<Item = Option<&'a str>>) {
    for (n, value) in values.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let Some(value) = value else { continue };
        out.push(b'"');
        let mut pieces = value.split('"');
        out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
        for piece in pieces {
            out.extend_from_slice(b"\"\"");
            out.extend_from_slice(piece.as_bytes());
        }
        out.push(b'"');
    }
    out.push(b'\n');
}

/// The first row of `bytes` and how many bytes it takes; none if it does not end there. What nobody here has written is read
/// as it comes: a value without quotes is itself.
pub(crate) fn read(bytes: &[u8]) -> Option<(Row, usize)> {
    let mut row = Row::new();
    let mut value: Option<Vec<u8>> = None;
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let len = rest.iter().position(|byte| matches!(byte, b'"' | b',' | b'\n'))?;
        if len > 0 {
            value.get_or_insert_default().extend_from_slice(rest.get(..len)?);
        }
        at += len + 1;
        match rest.get(len)? {
            b'"' => at += read_quoted(bytes.get(at..)?, value.get_or_insert_default())?,
            end => {
                row.push(value.take().map(|value| String::from_utf8_lossy(&value).into_owned()));
                if *end == b'\n' {
                    return Some((row, at));
                }
            }
        }
    }
}

/// Takes what is before the closing quote; says how many bytes that is, with the quote.
fn read_quoted(bytes: &[u8], value: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let len = rest.iter().position(|byte| *byte == b'"')?;
        value.extend_from_slice(rest.get(..len)?);
        at += len + 1;
        if *bytes.get(at)? != b'"' {
            return Some(at);
        }
        value.push(b'"');
        at += 1;
    }
}

/// The first line of `bytes` as a row of one value, and how many bytes it takes; none if it does not end there.
pub(crate) fn read_line(bytes: &[u8]) -> Option<(Row, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((vec![Some(String::from_utf8_lossy(line).into_owned())], end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(row: &[Option<&str>]) -> String {
        let mut out = Vec::new();
        write(&mut out, row.iter().copied());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_value_is_quoted_and_null_is_nothing() {
        for (row, expect) in [
            (&[Some("a"), None, Some("")][..], "\"a\",,\"\"\n"),
            (&[Some("say \"hi\""), Some("a,b")], "\"say \"\"hi\"\"\",\"a,b\"\n"),
            (&[Some("two\nlines")], "\"two\nlines\"\n"),
            (&[Some("\"")], "\"\"\"\"\n"),
            (&[None], "\n"),
            (&[None, None], ",\n"),
        ] {
            let text = written(row);
            assert_eq!(text, expect);
            let (read_row, len) = read(text.as_bytes()).unwrap();
            assert_eq!(read_row, row.iter().map(|v| v.map(str::to_owned)).collect::<Row>());
            assert_eq!(len, text.len());
            for cut in 0..text.len() {
                assert!(read(&text.as_bytes()[..cut]).is_none(), "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn rows_follow_each_other() {
        let text = written(&[Some("1"), Some("é")]) + &written(&[None, Some("x")]);
        let (first, len) = read(text.as_bytes()).unwrap();
        let (second, _) = read(&text.as_bytes()[len..]).unwrap();
        assert_eq!(first, [Some("1".to_owned()), Some("é".to_owned())]);
        assert_eq!(second, [None, Some("x".to_owned())]);
        assert_eq!(read_line(b"a\tb\nc").unwrap(), (vec![Some("a\tb".to_owned())], 4));
        assert!(read_line(b"c").is_none());
    }
}
