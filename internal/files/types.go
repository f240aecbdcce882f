package files

import (
	"path/filepath"
	"strings"
)

// types are the media types of what people send most. The system's own table would make two
// devices say different things of one file.
var types = map[string]string{
	".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html", ".htm": "text/html", ".css": "text/css", ".ics": "text/calendar", ".vcf": "text/vcard",
	".pdf": "application/pdf", ".json": "application/json", ".xml": "application/xml", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar", ".7z": "application/x-7z-compressed",
	".doc": "application/msword", ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".odt": "application/vnd.oasis.opendocument.text",
	".xls": "application/vnd.ms-excel", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	".ppt": "application/vnd.ms-powerpoint", ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".odp": "application/vnd.oasis.opendocument.presentation",
	".epub": "application/epub+zip", ".rtf": "application/rtf",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".heic": "image/heic", ".svg": "image/svg+xml", ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav", ".flac": "audio/flac", ".aac": "audio/aac",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".avi": "video/x-msvideo",
	".exe": "application/vnd.microsoft.portable-executable", ".apk": "application/vnd.android.package-archive", ".jar": "application/java-archive", ".js": "text/javascript", ".sh": "application/x-sh",
}

// Unknown is the media type of a file of which no better one is known.
const Unknown = "application/octet-stream"

// TypeOf is the media type that the end of a name stands for.
func TypeOf(name string) string {
	if t := types[strings.ToLower(filepath.Ext(name))]; t != "" {
		return t
	}
	return Unknown
}
