package play

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkServerProcess is the real binary with an empty data directory: milliseconds
// from start to the line that says it serves, and resident memory a second later.
func BenchmarkServerProcess(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "sotto")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, "sotto/cmd/sotto")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var took []time.Duration
	var resident []int
	for range 5 {
		cmd := exec.Command(bin, "server", "--data", b.TempDir(), "--listen", "127.0.0.1:0")
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		cmd.Stderr = cmd.Stdout
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.Contains(lines.Text(), "serving") {
		}
		took = append(took, time.Since(begin))
		time.Sleep(time.Second) // idle
		resident = append(resident, residentKB(b, cmd.Process.Pid))
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatalf("the server ended with %v", err)
		}
	}
	slices.Sort(took)
	slices.Sort(resident)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ready-ms")
	b.ReportMetric(float64(resident[len(resident)/2])/1000, "resident-MB")
}

func residentKB(b *testing.B, pid int) (kb int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb
		}
	}
	b.Fatal("no resident size")
	return 0
}
