package hub

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEnvironment(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "hf"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, token := range map[string]string{"hf/token": "from_home\n", "token2": "from_path"} {
		if err := os.WriteFile(filepath.Join(home, path), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	type settings struct {
		dir, token, endpoint string
		offline              bool
	}
	tests := []struct {
		name        string
		environment map[string]string
		options     Options
		want        settings
	}{
		{"none", nil, Options{}, settings{home + "/.cache/huggingface/hub", "", defaultEndpoint, false}},
		{"XDG", map[string]string{"XDG_CACHE_HOME": home + "/xdg"}, Options{}, settings{home + "/xdg/huggingface/hub", "", defaultEndpoint, false}},
		{"home", map[string]string{"HF_HOME": "$HOME/hf"}, Options{}, settings{home + "/hf/hub", "from_home", defaultEndpoint, false}},
		{"cache", map[string]string{"HF_HOME": home + "/hf", "HF_HUB_CACHE": "~/c"}, Options{}, settings{home + "/c", "from_home", defaultEndpoint, false}},
		{"old cache", map[string]string{"HUGGINGFACE_HUB_CACHE": home + "/old"}, Options{}, settings{home + "/old", "", defaultEndpoint, false}},
		{"token", map[string]string{"HF_HOME": home + "/hf", "HF_TOKEN": " t "}, Options{}, settings{home + "/hf/hub", "t", defaultEndpoint, false}},
		{"token's path", map[string]string{"HF_TOKEN_PATH": home + "/token2"}, Options{}, settings{home + "/.cache/huggingface/hub", "from_path", defaultEndpoint, false}},
		{"endpoint", map[string]string{"HF_ENDPOINT": "http://localhost:8080/hf/"}, Options{}, settings{home + "/.cache/huggingface/hub", "", "http://localhost:8080/hf", false}},
		{"offline", map[string]string{"HF_HUB_OFFLINE": "yes"}, Options{}, settings{home + "/.cache/huggingface/hub", "", defaultEndpoint, true}},
		{"not offline", map[string]string{"HF_HUB_OFFLINE": "0"}, Options{}, settings{home + "/.cache/huggingface/hub", "", defaultEndpoint, false}},
		{"transformers offline", map[string]string{"TRANSFORMERS_OFFLINE": "1"}, Options{}, settings{home + "/.cache/huggingface/hub", "", defaultEndpoint, true}},
		{"options", map[string]string{"HF_HUB_CACHE": home + "/c", "HF_TOKEN": "t", "HF_ENDPOINT": "http://e"},
			Options{Dir: home + "/d", Token: "u", Endpoint: "https://f", Offline: true}, settings{home + "/d", "u", "https://f", true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT",
				"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN_PATH", "XDG_CACHE_HOME"} {
				t.Setenv(name, test.environment[name])
			}
			t.Setenv("HOME", home)
			o, err := test.options.withDefaults()
			if got := (settings{o.Dir, o.Token, o.Endpoint, o.Offline}); err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
	if _, err := (Options{Dir: home, Endpoint: "huggingface.co"}).withDefaults(); err == nil {
		t.Error("an endpoint without https:// passed")
	}
}

// What this project makes of downloads lies where Python's huggingface_hub keeps such things (cached_assets_path).
func TestAssetsDir(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct {
		env  map[string]string
		o    Options
		want string
	}{
		{map[string]string{"XDG_CACHE_HOME": home}, Options{}, home + "/huggingface/assets/samediff"},
		{map[string]string{"HF_HOME": home}, Options{}, home + "/assets/samediff"},
		{map[string]string{"HF_HOME": home, "HF_ASSETS_CACHE": home + "/a"}, Options{}, home + "/a/samediff"},
		{map[string]string{"HF_ASSETS_CACHE": home + "/a"}, Options{Assets: home + "/b"}, home + "/b/samediff"},
	} {
		for _, name := range []string{"HF_HOME", "HF_ASSETS_CACHE", "XDG_CACHE_HOME"} {
			t.Setenv(name, test.env[name])
		}
		if got, err := AssetsDir(test.o); err != nil || got != test.want {
			t.Errorf("%v, %q: %s, %v; want %s", test.env, test.o.Assets, got, err, test.want)
		}
	}
}
