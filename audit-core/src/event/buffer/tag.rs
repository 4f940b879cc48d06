//! The tags of the fields in a packed buffer.

/// The meaning of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Action = 1,
    Organization = 2,
    /// The kind, then the id; opens an actor, to which the following actor fields belong.
    Actor = 3,
    ActorName = 4,
    ActorMetadata = 5,
    /// The type, then the id; opens a target, to which the following target fields belong.
    Target = 6,
    TargetName = 7,
    TargetMetadata = 8,
    Metadata = 9,
    Location = 10,
    UserAgent = 11,
    /// The name of a field whose value was cut.
    Truncated = 12,
    /// A target like [`Tag::Target`], of which there may be more than one event accepts.
    EachTarget = 13,
    /// The action under which the event is recorded if it ends as a denial.
    DeniedAction = 14,
}

impl Tag {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Tag::Action,
            2 => Tag::Organization,
            3 => Tag::Actor,
            4 => Tag::ActorName,
            5 => Tag::ActorMetadata,
            6 => Tag::Target,
            7 => Tag::TargetName,
            8 => Tag::TargetMetadata,
            9 => Tag::Metadata,
            10 => Tag::Location,
            11 => Tag::UserAgent,
            12 => Tag::Truncated,
            13 => Tag::EachTarget,
            14 => Tag::DeniedAction,
            _ => return None,
        })
    }
}

/// The owner of a metadata key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Event,
    Actor,
    Target,
}

impl Owner {
    pub(crate) fn tag(self) -> Tag {
        match self {
            Owner::Event => Tag::Metadata,
            Owner::Actor => Tag::ActorMetadata,
            Owner::Target => Tag::TargetMetadata,
        }
    }
}
