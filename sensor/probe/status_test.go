package probe

import "testing"

func TestStatusSet(t *testing.T) {
	for _, tt := range []struct {
		text    string
		in, out []int
	}{
		{"", []int{200, 299, 300, 399}, []int{199, 400, 500}},
		{"200", []int{200}, []int{199, 201}},
		{"2xx,301", []int{200, 204, 301}, []int{300, 302}},
		{"2XX", []int{204}, []int{304}},
		{"200-202, 404", []int{200, 201, 202, 404}, []int{203, 403}},
		{"100-999", []int{100, 999}, nil},
	} {
		t.Run(tt.text, func(t *testing.T) {
			set, err := ParseStatus(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range tt.in {
				if !set.Contains(code) {
					t.Errorf("%d is not in", code)
				}
			}
			for _, code := range tt.out {
				if set.Contains(code) {
					t.Errorf("%d is in", code)
				}
			}
		})
	}
}

func TestStatusSetErrors(t *testing.T) {
	for _, text := range []string{",", "20", "2000", "abc", "xx", "0xx", "200-", "-200", "299-200", "2xx-3xx", "+20", "099", "200,,201"} {
		if set, err := ParseStatus(text); err == nil {
			t.Errorf("ParseStatus(%q) = %v", text, set)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, seed := range []string{"", "200", "2xx,301", "200-299,404", "9xx", "-", "١٢٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseStatus(text)
		if err != nil {
			return
		}
		if set.Contains(99) || set.Contains(1000) {
			t.Errorf("%q contains what is no status", text)
		}
		again, err := ParseStatus(set.String())
		if err != nil || again.String() != set.String() {
			t.Errorf("%q does not parse again: %v", set, err)
		}
	})
}
