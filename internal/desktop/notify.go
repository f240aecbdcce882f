package desktop

import (
	"encoding/base64"
	"encoding/binary"
	"html"
	"os"
	"path/filepath"
	"unicode/utf16"
)

// Notice is a notice of the operating system. Click, if there is one, is called when the
// person clicks on it, where the system tells. One with a Tag takes the place of the last one
// with the same, where the system can do that.
type Notice struct {
	Title, Text string
	Tag         string
	Click       func()
}

// How long the parts of a notice may be, in characters.
const (
	mostTitle = 80
	mostText  = 240
)

// Notify shows a notice.
func (d *Desktop) Notify(n Notice) error {
	n.Title, n.Text = clean(n.Title, mostTitle), clean(n.Text, mostText)
	switch d.goos {
	case "windows":
		return d.first([]command{toast(n)})
	case "darwin":
		return d.first([]command{banner(n)})
	}
	err := d.onBus(n)
	if err == nil {
		return nil
	}
	if path, e := d.look("notify-send"); e == nil {
		// The text is markup to whoever shows it. What stands after -- is no option.
		return d.first([]command{{args: []string{path, "--app-name=sotto", "--icon=" + iconName, "--", n.Title, html.EscapeString(n.Text)}}})
	}
	return err
}

// Withdraw takes the notice with a tag back, where the system can do that and it is still there.
func (d *Desktop) Withdraw(tag string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bus == nil {
		return nil
	}
	return d.bus.withdraw(tag)
}

// banner shows a notice on a Mac. The program stands on its input and never changes; the
// texts are its arguments. A click on it is told to nobody.
func banner(n Notice) command {
	return command{
		args:  []string{"/usr/bin/osascript", "-", n.Title, n.Text},
		stdin: "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run\n",
	}
}

// toast shows a notice on Windows. The program never changes; the texts are values in its
// environment, and become text nodes of the notice. It is shown in the name of PowerShell,
// since a program without an installer has no name there; a click is told to nobody.
func toast(n Notice) command {
	return command{
		args: []string{filepath.Join(os.Getenv("SystemRoot"), "System32", "WindowsPowerShell", "v1.0", "powershell.exe"),
			"-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-EncodedCommand", encoded(toastProgram)},
		env: []string{"SOTTO_TITLE=" + n.Title, "SOTTO_TEXT=" + n.Text},
	}
}

const toastProgram = `$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$x = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$t = $x.GetElementsByTagName('text')
[void]$t.Item(0).AppendChild($x.CreateTextNode($env:SOTTO_TITLE))
[void]$t.Item(1).AppendChild($x.CreateTextNode($env:SOTTO_TEXT))
$id = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($id).Show((New-Object Windows.UI.Notifications.ToastNotification $x))
`

// encoded is a program as PowerShell takes it: base64 of UTF-16, little-endian.
func encoded(program string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(program)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return base64.StdEncoding.EncodeToString(b)
}
