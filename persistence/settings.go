package persistence

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Settings say where an object store is and how to speak to it, as texts by key: what users write in a file, in the environment or in a place's query. A form
// makes its Options of them (dir.FromSettings, s3.FromSettings), which knows the keys and says which one is wrong. Settings that have secrets show them to
// nobody who prints, logs or encodes them; Seal alone writes them down.
type Settings map[string]string

// Keys that every form has.
const (
	KeyPlace     = "place"      // a folder or a URL; ParsePlace
	KeyEncryptTo = "encrypt-to" // age recipients, or files of them, with commas between; nothing is encrypted without
	KeyIdentity  = "identity"   // files of age identities, with commas between: who has one can read what is encrypted
)

// secretKeys are the settings that are secrets, of all forms.
var secretKeys = []string{"secret-key", "session-token"}

// IsSecret tells whether a setting's value is a secret.
func IsSecret(key string) bool { return slices.Contains(secretKeys, key) }

// shown has no secrets.
func (s Settings) shown() map[string]string {
	out := make(map[string]string, len(s))
	for key, value := range s {
		if IsSecret(key) {
			value = NewSecret(value).String()
		}
		out[key] = value
	}
	return out
}

// String is a line for people, in the order of the keys.
func (s Settings) String() string {
	shown, parts := s.shown(), []string(nil)
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		parts = append(parts, key+"="+shown[key])
	}
	return strings.Join(parts, " ")
}

// Format hides secrets from every verb.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue hides secrets from slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides secrets; it is for people, Seal for machines.
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.shown()) }

// UnmarshalJSON takes settings with their secrets, but not what MarshalJSON has put in a secret's place. Errors: ErrInvalid.
func (s *Settings) UnmarshalJSON(text []byte) error {
	var values map[string]string
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("settings of an object store: %w: %v", ErrInvalid, err)
	}
	for key, value := range values {
		if IsSecret(key) && value == hidden {
			return fmt.Errorf("settings of an object store: %s: %w: it is %s: these settings were printed for people", key, ErrInvalid, hidden)
		}
	}
	*s = values
	return nil
}

// Seal writes the settings down with their secrets, to be sent to a process that needs them and to nobody else: not to the registry, a log, or a command line.
// UnmarshalJSON reads it.
func (s Settings) Seal() []byte {
	text, err := json.Marshal(map[string]string(s))
	if err != nil {
		panic(err) // texts by key can be encoded
	}
	return text
}
