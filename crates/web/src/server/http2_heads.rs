//! Reads along as far as it takes to know whether a header block of HTTP/2 is unfinished: frame heads, never what is in
//! them. Deliberately absent: judging what is read, which is for hyper.

/// What a client of HTTP/2 says first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Kinds of frames that carry a header block, and the flag of its last one (RFC 9113 section 6).
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The header blocks of one connection.
#[derive(Debug, Default)]
pub(super) struct Http2Heads {
    place: Place,
    /// How many blocks began.
    begun: u64,
    unfinished: bool,
}

/// Where in the stream the next byte is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Preface {
        read: usize,
    },
    FrameHead {
        bytes: [u8; 9],
        read: usize,
    },
    Payload {
        left: usize,
        ends_block: bool,
    },
    /// Another protocol.
    Elsewhere,
}

impl Default for Place {
    fn default() -> Self {
        Self::Preface { read: 0 }
    }
}

const NEXT_FRAME: Place = Place::FrameHead { bytes: [0; 9], read: 0 };

impl Http2Heads {
    /// The number of the block that has begun and not ended.
    pub(super) fn unfinished(&self) -> Option<u64> {
        self.unfinished.then_some(self.begun)
    }

    /// Takes what came next, in any pieces.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.place {
                Place::Elsewhere => return,
                Place::Preface { read } => {
                    bytes = rest;
                    let fits = PREFACE.get(*read) == Some(&first);
                    *read += 1;
                    if !fits {
                        self.place = Place::Elsewhere;
                    } else if *read == PREFACE.len() {
                        self.place = NEXT_FRAME;
                    }
                }
                Place::FrameHead { bytes: head, read } => {
                    bytes = rest;
                    if let Some(byte) = head.get_mut(*read) {
                        *byte = first;
                    }
                    *read += 1;
                    if *read == head.len() {
                        let head = *head;
                        self.begin_frame(head);
                    }
                }
                Place::Payload { left, ends_block } => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    bytes = bytes.get(taken..).unwrap_or_default();
                    let done = (*left == 0).then_some(*ends_block);
                    if let Some(ends_block) = done {
                        self.end_frame(ends_block);
                    }
                }
            }
        }
    }

    fn begin_frame(&mut self, [high, middle, low, kind, flags, ..]: [u8; 9]) {
        let left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if kind == HEADERS && !self.unfinished {
            self.unfinished = true;
            self.begun += 1;
        }
        let ends_block = matches!(kind, HEADERS | CONTINUATION) && flags & END_HEADERS != 0;
        self.place = Place::Payload { left, ends_block };
        if left == 0 {
            self.end_frame(ends_block);
        }
    }

    fn end_frame(&mut self, ends_block: bool) {
        if ends_block {
            self.unfinished = false;
        }
        self.place = NEXT_FRAME;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after each byte: the number of the unfinished block, or 0.
    fn known(bytes: &[u8]) -> Vec<u64> {
        let mut heads = Http2Heads::default();
        let mut known = Vec::new();
        for byte in bytes {
            heads.read(&[*byte]);
            known.push(heads.unfinished().unwrap_or(0));
        }
        let mut at_once = Http2Heads::default();
        at_once.read(bytes);
        assert_eq!(at_once.unfinished().unwrap_or(0), known.last().copied().unwrap_or(0), "whatever the pieces");
        known
    }

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, u8::try_from(payload.len()).unwrap(), kind, flags, 0, 0, 0, 1];
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Of an idle line (fault 9).
    #[test]
    fn a_block_is_unfinished_from_its_frame_head_to_the_last_byte_of_its_last_frame() {
        let before = [PREFACE, &frame(4, 0, b""), &frame(6, 0, b"12345678")].concat();
        let block = [frame(HEADERS, 1, b"abc"), frame(CONTINUATION, 0, b""), frame(CONTINUATION, END_HEADERS, b"d")];
        let after = [frame(0, 4, b"data"), frame(HEADERS, END_HEADERS, b"")].concat();
        let all = [&before[..], &block.concat(), &after, &frame(HEADERS, 0, b"")].concat();
        let known = known(&all);
        let begun = before.len() + 8;
        let ended = before.len() + block.concat().len() - 1;
        for (place, number) in known.iter().enumerate() {
            let expected = match place {
                place if (begun..ended).contains(&place) => 1,
                place if place == all.len() - 1 => 3,
                _ => 0,
            };
            assert_eq!(*number, expected, "after byte {place}");
        }
    }

    #[test]
    fn another_protocol_has_no_such_blocks() {
        for first in [&b"GET / HTTP/1.1\r\n"[..], b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n"] {
            let bytes = [first, &frame(HEADERS, 0, b"")].concat();
            assert!(known(&bytes).iter().all(|number| *number == 0));
        }
    }
}
