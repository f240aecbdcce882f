package files

import (
	"path/filepath"
	"strings"
)

// Danger is why a file should not be opened without thought; empty for none.
type Danger string

// The dangers. Each is a stable word; what a person reads of it is the interface's.
const (
	Safe     Danger = ""
	Program  Danger = "program"  // it runs
	Script   Danger = "script"   // it runs in a program that most machines have
	Shortcut Danger = "shortcut" // it leads somewhere else, or changes settings
	Macros   Danger = "macros"   // a document that may bring a program along
	Image    Danger = "disk"     // a disk or a package that is mounted or installed
	Page     Danger = "page"     // it runs in a browser, and can load what it likes
)

var dangers = map[Danger]string{
	Program:  "exe com scr pif cpl msc dll sys drv ocx msi msp msu appx appxbundle msix msixbundle app command elf bin run out so dylib apk aab ipa jar jnlp xpi crx air gadget application deb rpm flatpak snap appimage pkg mpkg",
	Script:   "bat cmd vb vbe vbs js jse mjs ws wsf wsh wsc sct ps1 ps1xml ps2 psc1 psd1 psm1 msh sh bash zsh fish csh ksh py pyc pyw pyz pl rb php lua tcl scpt applescript workflow action hta reg inf",
	Shortcut: "lnk url desktop webloc inetloc fileloc scf library-ms search-ms searchconnector-ms settingcontent-ms website rdp theme themepack diagcab appref-ms contact",
	Macros:   "docm dotm xlsm xltm xlam xll pptm potm ppam ppsm sldm doc dot xls xlt xla ppt pot pps slk iqy mdb accdb accde ade adp mde pub one odb",
	Image:    "iso img vhd vhdx dmg vmdk vdi toast cab",
	Page:     "htm html xhtml xht shtml mht mhtml svg svgz xml xsl xslt chm swf",
}

var dangerOf = func() map[string]Danger {
	out := map[string]Danger{}
	for d, list := range dangers {
		for ext := range strings.FieldsSeq(list) {
			out["."+ext] = d
		}
	}
	return out
}()

var dangerousTypes = map[string]Danger{
	"application/x-msdownload": Program, "application/x-msdos-program": Program, "application/vnd.microsoft.portable-executable": Program,
	"application/x-executable": Program, "application/x-mach-binary": Program, "application/java-archive": Program, "application/vnd.android.package-archive": Program,
	"application/javascript": Script, "text/javascript": Script, "application/x-sh": Script, "text/x-python": Script, "application/hta": Script,
	"text/html": Page, "application/xhtml+xml": Page, "image/svg+xml": Page,
}

// DangerOf names the danger of a file by the end of its name as it is kept, and by its type.
func DangerOf(name, mediaType string) Danger {
	if d := dangerOf[strings.ToLower(filepath.Ext(SafeName(name)))]; d != Safe {
		return d
	}
	bare, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	return dangerousTypes[strings.TrimSpace(bare)]
}
