package build

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	f, err := newResultFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.discard()) }()
	w, err := f.open(nil)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return f.commit()
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
