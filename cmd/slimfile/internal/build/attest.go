package build

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tonistiigi/go-csvvalue"
)

// addAttests adds the attestations that --attest, --sbom and --provenance ask
// for. The short forms come last, as with docker buildx.
func addAttests(attrs map[string]string, o Options) error {
	for _, value := range o.Attests {
		fields, err := csvvalue.Fields(value, nil)
		if err != nil {
			return fmt.Errorf("--attest: %w", err)
		}
		var kind string
		var rest []string
		for _, field := range fields {
			if v, ok := strings.CutPrefix(field, "type="); ok {
				kind = v
			} else {
				rest = append(rest, field)
			}
		}
		if kind != "sbom" && kind != "provenance" {
			return fmt.Errorf("--attest %s: want type=sbom or type=provenance", value)
		}
		if err := addAttest(attrs, kind, rest); err != nil {
			return fmt.Errorf("--attest: %w", err)
		}
	}
	for _, short := range []struct{ kind, value string }{{"sbom", o.SBOM}, {"provenance", o.Provenance}} {
		if short.value == "" {
			continue
		}
		fields, err := csvvalue.Fields(short.value, nil)
		if err == nil {
			err = addAttest(attrs, short.kind, fields)
		}
		if err != nil {
			return fmt.Errorf("--%s: %w", short.kind, err)
		}
	}
	return nil
}

// addAttest adds or removes one kind: fields are a boolean, or K=V of which
// disabled=BOOL is ours and the others are the attestation's.
func addAttest(attrs map[string]string, kind string, fields []string) error {
	on := true
	var rest []string
	for _, field := range fields {
		value, isSwitch := strings.CutPrefix(field, "disabled=")
		if !isSwitch && strings.Contains(field, "=") {
			rest = append(rest, field)
			continue
		}
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither a boolean nor KEY=VALUE", field)
		}
		on = b != isSwitch
	}
	key := "attest:" + kind
	delete(attrs, key)
	if on {
		attrs[key] = strings.Join(rest, ",")
	}
	return nil
}
