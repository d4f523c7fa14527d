/*
 * An nbdkit plugin that answers to the name "vddk" and takes every parameter that nbdkit's own plugin of that name takes, but needs no
 * library of VMware's: it fetches bytes and extents over TCP from the data service of a simulated vCenter (hack/testbed/vddk), which knows
 * users, thumbprints, VMs, snapshots and files. CDI's importer loads it in place of the real one (fact: cdi 3.6).
 *
 * Build: gcc -shared -fPIC -O2 -Wall -o libvddk-test-plugin.so vddk-plugin.c
 */
#define _GNU_SOURCE
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <endian.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

/* The flags that an importer sets with -D (fact: cdi 3.6, its own arguments). */
NBDKIT_DLL_PUBLIC int vddk_debug_datapath = 1;
NBDKIT_DLL_PUBLIC int vddk_debug_stats = 0;

/* Of VDDK: where ESXi hosts serve disks. */
static const char default_port[] = "902";

/* What is asked for, in the order in which the service wants it. Strings belong to us. */
enum field { USER, PASSWORD, THUMBPRINT, VM, SNAPSHOT, DISK_FILE, FIELDS };
static char *wanted[FIELDS];
static char *server;
static char *port;

/* Parameters of the real plugin that change nothing here. */
static const char *const ignored[] = {
	"compression", "cookie", "create", "create-adapter-type", "create-hwversion", "create-size", "create-type", "export", "libdir",
	"port", "single-link", "transports", "unbuffered", "vimapiver",
};

static bool set(char **place, const char *value)
{
	char *copy = strdup(value);
	if (copy == NULL) {
		nbdkit_error("strdup: %m");
		return false;
	}
	free(*place);
	*place = copy;
	return true;
}

/* "moref=vm-1" and "vm-1" mean the same. */
static const char *moref(const char *value)
{
	return strncmp(value, "moref=", 6) == 0 ? value + 6 : value;
}

static bool is_ignored(const char *key)
{
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		if (strcmp(key, ignored[i]) == 0)
			return true;
	return false;
}

/* VDDK reads its settings from this file; one that cannot be read is an error there too. */
static int check_config_file(const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		nbdkit_error("config=%s: %m", path);
		return -1;
	}
	fclose(file);
	return 0;
}

static int plugin_config(const char *key, const char *value)
{
	if (strcmp(key, "password") == 0) {
		free(wanted[PASSWORD]);
		wanted[PASSWORD] = NULL;
		return nbdkit_read_password(value, &wanted[PASSWORD]);
	}
	if (strcmp(key, "config") == 0)
		return check_config_file(value);
	if (strcmp(key, "server") == 0)
		return set(&server, value) ? 0 : -1;
	if (strcmp(key, "nfchostport") == 0)
		return set(&port, value) ? 0 : -1;
	if (strcmp(key, "user") == 0)
		return set(&wanted[USER], value) ? 0 : -1;
	if (strcmp(key, "thumbprint") == 0)
		return set(&wanted[THUMBPRINT], value) ? 0 : -1;
	if (strcmp(key, "vm") == 0)
		return set(&wanted[VM], moref(value)) ? 0 : -1;
	if (strcmp(key, "snapshot") == 0)
		return set(&wanted[SNAPSHOT], moref(value)) ? 0 : -1;
	if (strcmp(key, "file") == 0)
		return set(&wanted[DISK_FILE], value) ? 0 : -1;
	if (is_ignored(key))
		return 0;
	nbdkit_error("unknown parameter '%s'", key);
	return -1;
}

static bool given(const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		return true;
	nbdkit_error("parameter '%s' is missing", name);
	return false;
}

static int plugin_config_complete(void)
{
	if (!given("file", wanted[DISK_FILE]) || !given("server", server) || !given("user", wanted[USER]) ||
	    !given("password", wanted[PASSWORD]) || !given("vm", wanted[VM]))
		return -1;
	/* The importer tells VDDK's version by this line (fact: testbed 7.3). */
	nbdkit_debug("VMware VixDiskLib (8.0.3) Release build-23950268");
	return 0;
}

static void plugin_dump_plugin(void)
{
	printf("vddk_default_libdir=/usr/lib64/vmware-vix-disklib\n");
	printf("vddk_has_nfchostport=1\n");
	printf("vddk_library_version=8\n");
}

static void plugin_unload(void)
{
	for (int i = 0; i < FIELDS; i++)
		free(wanted[i]);
	free(server);
	free(port);
}

/*
 * One connection to the service. A request and its answer are one exchange: the lock lets nbdkit call in parallel.
 * Numbers on the wire are big-endian. Request: "O" and the fields, each a u32 length and that many bytes; "R" u64 offset u32 length; "E" u64
 * offset u32 length. Answer: u32 status, u32 length, payload; status 0 is success, else the payload is a text.
 */
struct handle {
	int fd;
	pthread_mutex_t lock;
	int64_t size;
};

static bool send_all(int fd, const void *data, size_t length)
{
	const char *at = data;
	while (length > 0) {
		ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		length -= sent;
	}
	return true;
}

static bool receive_all(int fd, void *data, size_t length)
{
	char *at = data;
	while (length > 0) {
		ssize_t got = recv(fd, at, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				errno = ECONNRESET;
			return false;
		}
		at += got;
		length -= got;
	}
	return true;
}

/* The payload is malloc'ed, with a NUL behind it; NULL: the service refused or is gone, which has been told. */
static char *receive_answer(int fd, const char *what, uint32_t *length)
{
	uint32_t head[2];
	if (!receive_all(fd, head, sizeof head)) {
		nbdkit_error("%s: the connection to the host is broken: %m", what);
		errno = EIO;
		return NULL;
	}
	*length = be32toh(head[1]);
	char *payload = malloc((size_t)*length + 1);
	if (payload == NULL || !receive_all(fd, payload, *length)) {
		nbdkit_error("%s: %m", what);
		free(payload);
		errno = EIO;
		return NULL;
	}
	payload[*length] = '\0';
	if (be32toh(head[0]) == 0)
		return payload;
	nbdkit_error("%s", payload);
	free(payload);
	errno = EIO;
	return NULL;
}

/* "host" of "host:port", "[address]:port" and the bare forms: what an importer gives is the host of an URL. */
static char *host_of(const char *text)
{
	const char *from = *text == '[' ? text + 1 : text;
	const char *end = *text == '[' ? strchr(from, ']') : strrchr(from, ':');
	return strndup(from, end == NULL ? strlen(from) : (size_t)(end - from));
}

static int connect_to_server(void)
{
	char *host = host_of(server);
	if (host == NULL) {
		nbdkit_error("strndup: %m");
		return -1;
	}
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int problem = getaddrinfo(host, port != NULL ? port : default_port, &hints, &found);
	int fd = -1;
	for (struct addrinfo *at = found; problem == 0 && at != NULL && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		nbdkit_error("VixDiskLib_ConnectEx: Cannot connect to the host %s: %s", host,
			     problem != 0 ? gai_strerror(problem) : strerror(errno));
	if (found != NULL)
		freeaddrinfo(found);
	free(host);
	return fd;
}

static bool send_fields(int fd)
{
	if (!send_all(fd, "O", 1))
		return false;
	for (int i = 0; i < FIELDS; i++) {
		const char *value = wanted[i] != NULL ? wanted[i] : "";
		uint32_t length = htobe32((uint32_t)strlen(value));
		if (!send_all(fd, &length, sizeof length) || !send_all(fd, value, strlen(value)))
			return false;
	}
	return true;
}

/* Payload of the answer: u64 size, then the name of the ESXi host. */
static int64_t open_remote(int fd)
{
	uint32_t length;
	uint64_t size;
	if (!send_fields(fd)) {
		nbdkit_error("VixDiskLib_ConnectEx: %m");
		return -1;
	}
	char *payload = receive_answer(fd, "VixDiskLib_Open", &length);
	if (payload == NULL)
		return -1;
	if (length < sizeof size) {
		nbdkit_error("VixDiskLib_Open: the answer of the host is too short");
		free(payload);
		return -1;
	}
	memcpy(&size, payload, sizeof size);
	size = be64toh(size);
	/* The importer tells the ESXi host by this line (fact: testbed 7.3). */
	nbdkit_debug("DISKLIB-LINK  : Opened 'vpxa-nfcssl://%s@%s:902' (0xa): custom, %llu sectors / %llu GB.", wanted[DISK_FILE],
		     payload + sizeof size, (unsigned long long)(size / 512), (unsigned long long)(size >> 30));
	free(payload);
	return (int64_t)size;
}

static void *plugin_open(int readonly)
{
	struct handle *h = calloc(1, sizeof *h);
	if (h == NULL) {
		nbdkit_error("calloc: %m");
		return NULL;
	}
	h->fd = connect_to_server();
	h->size = h->fd < 0 ? -1 : open_remote(h->fd);
	if (h->size < 0) {
		if (h->fd >= 0)
			close(h->fd);
		free(h);
		return NULL;
	}
	pthread_mutex_init(&h->lock, NULL);
	return h;
}

static void plugin_close(void *handle)
{
	struct handle *h = handle;
	close(h->fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static int64_t plugin_get_size(void *handle)
{
	return ((struct handle *)handle)->size;
}

static int plugin_can_write(void *handle)
{
	return 0;
}

static int plugin_can_multi_conn(void *handle)
{
	return 1;
}

static int plugin_can_extents(void *handle)
{
	return 1;
}

static char *exchange(struct handle *h, char request, uint64_t offset, uint32_t count, const char *what, uint32_t *length)
{
	unsigned char message[13];
	uint64_t wire_offset = htobe64(offset);
	uint32_t wire_count = htobe32(count);
	char *payload = NULL;
	message[0] = (unsigned char)request;
	memcpy(message + 1, &wire_offset, sizeof wire_offset);
	memcpy(message + 9, &wire_count, sizeof wire_count);
	pthread_mutex_lock(&h->lock);
	if (send_all(h->fd, message, sizeof message))
		payload = receive_answer(h->fd, what, length);
	else {
		nbdkit_error("%s: the connection to the host is broken: %m", what);
		errno = EIO;
	}
	pthread_mutex_unlock(&h->lock);
	return payload;
}

static int plugin_pread(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
	uint32_t length;
	if (vddk_debug_datapath)
		nbdkit_debug("VixDiskLib_Read (%llu, %u)", (unsigned long long)offset, count);
	char *payload = exchange(handle, 'R', offset, count, "VixDiskLib_Read", &length);
	if (payload == NULL)
		return -1;
	if (length != count) {
		nbdkit_error("VixDiskLib_Read: %u bytes came, %u were wanted", length, count);
		free(payload);
		errno = EIO;
		return -1;
	}
	memcpy(buffer, payload, count);
	free(payload);
	return 0;
}

/* Payload of the answer: pairs of u64, offset and length, of what may hold data, in order; all else is hole. */
static int plugin_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags, struct nbdkit_extents *extents)
{
	uint32_t length;
	char *payload = exchange(handle, 'E', offset, count, "VixDiskLib_QueryAllocatedBlocks", &length);
	uint64_t at = offset;
	int result = payload == NULL ? -1 : 0;
	for (uint32_t i = 0; result == 0 && i + 16 <= length; i += 16) {
		uint64_t pair[2];
		memcpy(pair, payload + i, sizeof pair);
		uint64_t from = be64toh(pair[0]), size = be64toh(pair[1]);
		if (from > at)
			result = nbdkit_add_extent(extents, at, from - at, NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO);
		if (result == 0)
			result = nbdkit_add_extent(extents, from, size, 0);
		at = from + size;
	}
	if (result == 0 && at < offset + count)
		result = nbdkit_add_extent(extents, at, offset + count - at, NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO);
	free(payload);
	return result;
}

static struct nbdkit_plugin plugin = {
	.name = "vddk",
	.longname = "disks of a simulated vCenter in place of VDDK",
	.version = "1",
	.unload = plugin_unload,
	.dump_plugin = plugin_dump_plugin,
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.magic_config_key = "file",
	.open = plugin_open,
	.close = plugin_close,
	.get_size = plugin_get_size,
	.can_write = plugin_can_write,
	.can_multi_conn = plugin_can_multi_conn,
	.can_extents = plugin_can_extents,
	.pread = plugin_pread,
	.extents = plugin_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
