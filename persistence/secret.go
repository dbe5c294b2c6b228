package persistence

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that shows itself to nobody who prints, logs or encodes it, alone or anywhere in a struct: only Reveal gives it. It lies behind a pointer
// because fmt looks into fields that are not exported without asking what is there how it wants to be printed.
type Secret struct{ text *string }

// NewSecret makes a secret of a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// hidden is shown in a secret's place.
const hidden = "(hidden)"

// Reveal gives the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String hides the secret; of an empty one it says that it is empty.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return hidden
}

// Format hides the secret from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a secret, but not what MarshalText has put in a secret's place. Errors: ErrInvalid.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == hidden {
		return fmt.Errorf("%w: %s stands where a secret belongs: these settings were printed for people; take them from where they were set", ErrInvalid, hidden)
	}
	*s = NewSecret(string(text))
	return nil
}
