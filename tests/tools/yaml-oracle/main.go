// Prints what Kubernetes' own reader makes of YAML, so that tests can compare.
//
// Standard input holds JSON strings, one YAML document each, one a line. Standard output gets one line for each:
// {"value": ..., "error": "...", "strict": "...", "json": ...} with the value as kubectl reads it, or why it does not,
// why a strict reader refuses the document (a key twice in one map), and the value of the text as JSON, null where it
// is none: kubectl reads as JSON what begins with a brace. Floating-point numbers always carry a point or an
// exponent, whole numbers never do, as Kubernetes tells int64 from float64.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<28)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var text string
		if err := json.Unmarshal(in.Bytes(), &text); err != nil {
			panic(err)
		}
		answer := map[string]any{"value": nil, "error": "", "strict": "", "json": nil}
		if value, err := read([]byte(text), yaml.YAMLToJSON); err != nil {
			answer["error"] = err.Error()
		} else {
			answer["value"] = value
		}
		if _, err := read([]byte(text), yaml.YAMLToJSONStrict); err != nil {
			answer["strict"] = err.Error()
		}
		var asJSON any
		if kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &asJSON) == nil {
			answer["json"] = asJSON
		}
		var line strings.Builder
		write(&line, answer)
		fmt.Fprintln(out, line.String())
		out.Flush()
	}
}

func read(text []byte, toJSON func([]byte) ([]byte, error)) (any, error) {
	asJSON, err := toJSON(text)
	if err != nil {
		return nil, err
	}
	var value any
	err = kjson.UnmarshalCaseSensitivePreserveInts(asJSON, &value)
	return value, err
}

func write(out *strings.Builder, value any) {
	switch value := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		out.WriteByte('{')
		for i, key := range keys {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, key)
			out.WriteByte(':')
			write(out, value[key])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, element := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, element)
		}
		out.WriteByte(']')
	case float64:
		text := strconv.FormatFloat(value, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		out.WriteString(text)
	default:
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		out.Write(encoded)
	}
}
