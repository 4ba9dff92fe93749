package slurm

import (
	"fmt"
	"regexp"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
)

// Options say what each task of an array is given. The zero value of a field leaves it to the cluster.
type Options struct {
	Tasks     int      `json:"tasks,omitempty"`     // in the array; 0 is 1
	Partition string   `json:"partition,omitempty"` // or several, with commas between them
	Account   string   `json:"account,omitempty"`
	QOS       string   `json:"qos,omitempty"`
	Time      string   `json:"time,omitempty"`    // as sbatch takes it: "90" minutes, "08:00:00", "2-12"
	GPUs      string   `json:"gpus,omitempty"`    // for each task: "1", or with their type "a100:1"
	CPUs      int      `json:"cpus,omitempty"`    // for each task
	Memory    string   `json:"memory,omitempty"`  // for each task: "32G"
	Modules   []string `json:"modules,omitempty"` // loaded before the program starts
	Sbatch    []string `json:"sbatch,omitempty"`  // further options of sbatch: "--constraint=a100"
	Setup     []string `json:"setup,omitempty"`   // lines of shell before the program starts
	// Grace is how many seconds before its end a task hears of it; 0 is 60. A checkpoint has to be written in that time.
	Grace int `json:"grace,omitempty"`
}

// ReadOptions reads options from a JSON file.
func ReadOptions(path string) (o Options, err error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return o, err
	}
	if err := jsontext.UnmarshalStrict(text, &o); err != nil {
		return o, fmt.Errorf("%s: %w: expected an object such as {\"partition\": \"gpu\", \"time\": \"08:00:00\", \"gpus\": \"1\", \"modules\": [\"cuda\"]}", path, err)
	}
	return o, nil
}

var (
	aTime   = regexp.MustCompile(`^\d+(:\d\d){0,2}$|^\d+-\d\d?(:\d\d){0,2}$`)
	aMemory = regexp.MustCompile(`^\d+[KMGT]?$`)
	gpus    = regexp.MustCompile(`^([A-Za-z][\w.-]*:)?[1-9]\d*$`)
	aWord   = regexp.MustCompile(`^[\w.,/+:@-]*$`)
)

// maxTasks is more than Slurm lets an array have (MaxArraySize).
const maxTasks = 4_000_000

// Validate says what sbatch would refuse, or understand otherwise.
func (o Options) Validate() error {
	switch {
	case o.Tasks < 0 || o.Tasks > maxTasks:
		return fmt.Errorf("%d tasks: expected 1 or more, at most %d", o.Tasks, maxTasks)
	case o.CPUs < 0:
		return fmt.Errorf("%d CPUs for a task: expected 1 or more, or 0 for what the cluster gives", o.CPUs)
	case o.Grace < 0 || o.Grace > 65535:
		return fmt.Errorf("a grace of %d seconds: expected 1 to 65535, or 0 for 60", o.Grace)
	case o.Time != "" && !aTime.MatchString(o.Time):
		return fmt.Errorf("the time is %q: expected minutes, hours:minutes:seconds or days-hours, such as 90, 08:00:00, 2-12", o.Time)
	case o.Memory != "" && !aMemory.MatchString(o.Memory):
		return fmt.Errorf("the memory is %q: expected a whole number with K, M, G or T, such as 32G", o.Memory)
	case o.GPUs != "" && !gpus.MatchString(o.GPUs):
		return fmt.Errorf("the GPUs are %q: expected a number, or a type and a number, such as 1 or a100:1", o.GPUs)
	}
	for what, word := range map[string]string{"partition": o.Partition, "account": o.Account, "QOS": o.QOS, "modules": strings.Join(o.Modules, ",")} {
		if !aWord.MatchString(word) {
			return fmt.Errorf("%s: %q is no name: expected letters, digits and . , / + : @ - _", what, word)
		}
	}
	for _, line := range o.Sbatch {
		if !strings.HasPrefix(line, "-") || strings.ContainsAny(line, "\n\r") {
			return fmt.Errorf("%q is no option of sbatch: expected one such as --constraint=a100", line)
		}
	}
	return nil
}

// tasks is the number of tasks.
func (o Options) tasks() int { return max(o.Tasks, 1) }

// grace is how many seconds before its end a task hears of it.
func (o Options) grace() int {
	if o.Grace == 0 {
		return 60
	}
	return o.Grace
}
