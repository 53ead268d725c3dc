package build

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// writeMetadata writes what the build tells about its result, as docker buildx
// does: a value that is JSON, in base64 or plain, becomes part of the document.
func writeMetadata(path string, response map[string]string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("--metadata-file: %w", err)
		}
	}()
	doc := make(map[string]any, len(response))
	for k, v := range response {
		doc[k] = metadataValue(v)
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

func metadataValue(v string) any {
	for _, decode := range []func(string) ([]byte, error){
		base64.StdEncoding.DecodeString,
		func(s string) ([]byte, error) { return []byte(s), nil },
	} {
		data, err := decode(v)
		if err == nil && bytes.HasPrefix(data, []byte("{")) && json.Valid(data) {
			return json.RawMessage(data)
		}
	}
	return v
}
