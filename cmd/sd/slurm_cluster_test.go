package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"samediff/sdlib/artifact"
	"samediff/sdlib/study"
)

// slurmEnv asks for the test on a real Slurm, which takes minutes and starts daemons: make slurm-test sets it.
const slurmEnv = "SD_SLURM"

// TestSlurm starts a Slurm of two nodes on this machine and lets it work through Table 1's plan in tiny sizes. One task is told
// in the middle of a training that its time is over, as Slurm's --signal does, and comes back; then its node dies with all that runs
// there. The results are those of a single process, to the bit.
func TestSlurm(t *testing.T) {
	if os.Getenv(slurmEnv) == "" {
		t.Skip("make slurm-test runs this")
	}
	begin := time.Now()
	say := func(format string, args ...any) {
		t.Logf("%4.0f s  "+format, append([]any{time.Since(begin).Seconds()}, args...)...)
	}
	c := startSlurm(t)
	say("a Slurm of two nodes is up: %s", c.version)
	store := filepath.Join(t.TempDir(), "shared")
	t.Setenv("SD_STORE", store)

	checked := sd("slurm", "check", "--time", "5").want(t, exitOK)
	if !strings.Contains(checked.out, "locks     held there are seen here") {
		t.Fatalf("the check prints\n%s", checked.out)
	}
	say("sd slurm check: %s", strings.Join(strings.Fields(checked.out), " "))
	out := sd("slurm", "table", "1", "--scale", "tiny", "--tasks", "2", "--time", "30", "--submit").want(t, exitOK).out
	_, id, _ := strings.Cut(out, "submitted as job ")
	id, _, _ = strings.Cut(id, ";")
	say("sd slurm table 1 --scale tiny --tasks 2 --time 30 --submit: job %s", id)
	logs := filepath.Join(store, "slurm", "table-1")
	t.Cleanup(func() {
		if t.Failed() {
			for i := range 2 {
				text, _ := os.ReadFile(filepath.Join(logs, fmt.Sprintf("%s_%d.log", id, i)))
				t.Logf("log of task %d:\n%s", i, text)
			}
		}
	})

	node, index, job := c.training(t, store, id, "")
	c.run(t, "scancel", "--batch", "--signal=TERM", id+"_"+index) // as --signal=B:TERM@60 does a minute before the end of its time
	say("task %s on %s gets SIGTERM at %q", index, node, job)
	log, record := filepath.Join(logs, id+"_"+index+".log"), filepath.Join(logs, id+"_"+index+".json")
	until(t, "the task has stopped", func() bool { return !strings.Contains(contentOf(record), `"phase": "working"`) })
	if !strings.Contains(contentOf(log), "the task is put into the queue again") {
		t.Fatal("the task was not requeued")
	}
	until(t, "the task is back", func() bool { return strings.Contains(contentOf(log), "restart 1 on ") })
	say("it wrote a checkpoint, was requeued, and is back")

	node, index, job = c.training(t, store, id, node) // on the other node
	c.kill(t, node)
	say("%s dies with slurmd and all that runs there; its task %s was at %q", node, index, job)
	c.run(t, "scontrol", "update", "nodename="+node, "state=down", "reason=died")
	until(t, "all jobs are done", func() bool {
		time.Sleep(time.Second)
		return sd("slurm", "collect").status == exitOK
	})
	say("all jobs are done by the other node")
	until(t, "the tasks have ended", func() bool { return strings.TrimSpace(c.run(t, "squeue", "--noheader")) == "" })
	status := sd("slurm", "status").want(t, exitOK).out
	say("sd slurm status:\n%s", status)
	if !strings.Contains(status, "50 of 50 jobs done") {
		t.Errorf("the status is\n%s", status)
	}

	alone := filepath.Join(t.TempDir(), "alone")
	sd("run", "table", "1", "--scale", "tiny", "--store", alone, "--quiet").want(t, exitOK)
	say("sd run table 1 --scale tiny, one process, for comparison")
	if same := sameResults(t, store, alone); same > 0 {
		say("%d results of Slurm and of the single process are equal, byte for byte", same)
	}
}

// sameResults compares two stores file by file, logs with times aside, and returns how many results they have.
func sameResults(t *testing.T, a, b string) int {
	t.Helper()
	results := func(dir string) map[artifact.ID]map[string]artifact.ID {
		s, err := artifact.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		infos, err := s.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := map[artifact.ID]map[string]artifact.ID{}
		for _, i := range infos {
			if i.State != artifact.Finished {
				t.Errorf("%s has a result that is %s: %s", dir, i.State, i.Dir)
			}
			all[i.ID] = map[string]artifact.ID{}
			for _, f := range i.Meta.Files {
				if f.Name != study.LogFile {
					all[i.ID][f.Name] = f.SHA256
				}
			}
		}
		return all
	}
	one, other := results(a), results(b)
	if len(one) == 0 || !maps.EqualFunc(one, other, maps.Equal) {
		t.Errorf("%s has %d results, %s has %d, and they differ", a, len(one), b, len(other))
		for id, files := range one {
			if !maps.Equal(files, other[id]) {
				t.Logf("%s: %v, %v", id.Short(), files, other[id])
			}
		}
		return 0
	}
	return len(one)
}

// A slurmCluster is a Slurm on this machine, in a temporary folder.
type slurmCluster struct {
	dir, version string
	daemons      map[string]*exec.Cmd // by name; slurmd by its node's
}

// startSlurm starts munge, the controller and two nodes. The test fails where they are not installed.
func startSlurm(t *testing.T) *slurmCluster {
	t.Helper()
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is not in PATH: install Slurm and munge (on Debian: apt-get install slurm-wlm munge, as root): %v", name, err)
		}
	}
	dir, err := os.MkdirTemp("", "slurm") // munge's socket has to have a short path
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // munge's clients may be anybody
		t.Fatal(err)
	}
	c := &slurmCluster{dir: dir, daemons: map[string]*exec.Cmd{}}
	t.Cleanup(func() { c.stop(t) })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	user := strings.TrimSpace(c.run(t, "id", "-un"))
	key := make([]byte, 1024)
	rand.Read(key)
	conf := fmt.Sprintf(`ClusterName=samediff
SlurmctldHost=%[1]s(127.0.0.1)
SlurmUser=%[2]s
SlurmdUser=%[2]s
AuthType=auth/munge
AuthInfo=socket=%[3]s/munge,cred_expire=15
CredType=cred/munge
SlurmctldPort=%[4]d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
SlurmdTimeout=300
StateSaveLocation=%[3]s/state
SlurmctldPidFile=%[3]s/slurmctld.pid
SlurmctldLogFile=%[3]s/slurmctld.log
SlurmdPidFile=%[3]s/%%n.pid
SlurmdLogFile=%[3]s/%%n.log
SlurmdSpoolDir=%[3]s/%%n
NodeName=n1 NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=%[5]d CPUs=1
NodeName=n2 NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=%[6]d CPUs=1
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`, host, user, dir, port(t), port(t), port(t))
	for name, text := range map[string][]byte{"slurm.conf": []byte(conf), "key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"state", "n1", "n2"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	t.Setenv("SLURM_CONF", path("slurm.conf"))
	c.start(t, "munged", "munged", "--foreground", "--force", "--key-file="+path("key"), "--socket="+path("munge"), "--pid-file="+path("munged.pid"), "--log-file="+path("munged.log"), "--seed-file="+path("seed"))
	until(t, "munge answers", func() bool { _, err := os.Stat(path("munge")); return err == nil })
	c.start(t, "slurmctld", "slurmctld", "-D", "-i")
	for _, node := range []string{"n1", "n2"} {
		c.start(t, node, "slurmd", "-D", "-N", node)
	}
	until(t, "both nodes are idle", func() bool {
		out, err := exec.Command("sinfo", "--noheader", "--format=%t %D").Output()
		return err == nil && strings.TrimSpace(string(out)) == "idle 2"
	})
	c.version = strings.TrimSpace(c.run(t, "sinfo", "--version"))
	return c
}

// port returns a free one.
func port(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *slurmCluster) start(t *testing.T, name string, words ...string) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	out, err := os.Create(filepath.Join(c.dir, name+".out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.daemons[name] = cmd
}

// run runs one of Slurm's commands.
func (c *slurmCluster) run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", words, err, out)
	}
	return string(out)
}

// training waits for a task of a job that is in the middle of a training on a node, any but one, and returns which and what it is at.
func (c *slurmCluster) training(t *testing.T, store, id, butNode string) (node, index, job string) {
	t.Helper()
	until(t, "a task trains on another node than "+butNode, func() bool {
		found, _ := filepath.Glob(filepath.Join(store, "unfinished", "*", "files", "work", "checkpoint.safetensors"))
		for _, path := range found {
			lock := contentOf(filepath.Join(store, "locks", strings.Split(strings.TrimPrefix(path, filepath.Join(store, "unfinished")+"/"), "/")[0]))
			_, pid, _ := strings.Cut(lock, `"pid":`)
			pid, _, _ = strings.Cut(pid, ",")
			env := environ(pid)
			if env["SLURM_ARRAY_JOB_ID"] == id && env["SLURMD_NODENAME"] != butNode {
				node, index = env["SLURMD_NODENAME"], env["SLURM_ARRAY_TASK_ID"]
				return true
			}
		}
		return false
	})
	_, job, _ = strings.Cut(contentOf(filepath.Join(store, "slurm", "table-1", id+"_"+index+".json")), `"job": "`)
	job, _, _ = strings.Cut(job, `"`)
	return node, index, job
}

// kill ends a node at once: slurmd and everything that it has started.
func (c *slurmCluster) kill(t *testing.T, node string) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	daemon := c.daemons[node]
	daemon.Process.Kill()
	daemon.Wait()
	delete(c.daemons, node)
	for _, p := range processes {
		pid := filepath.Base(p)
		env := environ(pid)
		own := env["SLURM_CONF"] == filepath.Join(c.dir, "slurm.conf")
		steps := strings.HasPrefix(contentOf(filepath.Join(p, "cmdline")), "slurmstepd:")
		if own && (env["SLURMD_NODENAME"] == node || steps && strings.Contains(contentOf(filepath.Join(p, "cmdline")), node)) {
			n, _ := strconv.Atoi(pid)
			syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// environ returns a process's environment, nothing for one that is gone.
func environ(pid string) map[string]string {
	all := map[string]string{}
	for _, pair := range strings.Split(contentOf(filepath.Join("/proc", pid, "environ")), "\x00") {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

func contentOf(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// stop ends the daemons, jobs first, and shows their logs if the test has failed.
func (c *slurmCluster) stop(t *testing.T) {
	exec.Command("scancel", "--user="+strconv.Itoa(os.Getuid())).Run()
	for _, name := range []string{"n1", "n2", "slurmctld", "munged"} {
		if cmd := c.daemons[name]; cmd != nil {
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		}
		if t.Failed() {
			for _, kind := range []string{".out", ".log"} {
				if text := contentOf(filepath.Join(c.dir, name+kind)); text != "" {
					lines := strings.Split(text, "\n")
					t.Logf("%s%s:\n%s", name, kind, strings.Join(lines[max(0, len(lines)-40):], "\n"))
				}
			}
		}
	}
	if err := os.RemoveAll(c.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Log(err)
	}
}

// until waits for something, at most ten minutes: other work may keep the machine busy.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for begin := time.Now(); !there(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > 10*time.Minute {
			t.Fatalf("after ten minutes it is not true that %s", what)
		}
	}
}
