/*
 * drawing.c
 *		lineage_dot() and lineage_mermaid(): the neighbourhood of a node as text
 *		that other programs draw.
 *
 * What is drawn are the nodes of a walk in each direction, nearest first, and
 * the links between them, arrows from an input to what was made from it.  A
 * node that the caller may not read is a box that says so.  What it was made
 * from only its own record tells, so its links are lines without role and
 * arrow, and an input cannot be told from a supersession.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "lineage/walk.h"
#include "registry/version_node.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_lineage_dot);
PG_FUNCTION_INFO_V1(modelreg_lineage_mermaid);

#define MAX_NODES 10000			/* in each direction */

/* A node to draw. */
typedef struct Box
{
	MrNode		node;
	char	   *address;		/* NULL: the caller may not read it */
	bool		is_start;
	bool		is_current;		/* in Production */
} Box;

/* The place of a node among the boxes. */
typedef struct Place
{
	int64		node;
	int			place;
} Place;

typedef enum LinkSort
{
	LINK_INPUT,
	LINK_SUPERSEDED,
	LINK_UNREADABLE,
	LINK_MORE
} LinkSort;

typedef struct Drawing
{
	Snapshot	snapshot;
	Box		   *boxes;
	int			n;
	int64		room;
	HTAB	   *places;
	MrDirection direction;		/* of the walk that is under way */
	int			max_nodes;
	int64		nvisited;
	StringInfoData out;
	const struct Printer *printer;
} Drawing;

/* A language of drawings; boxes go by their place. */
typedef struct Printer
{
	const char *head;
	void		(*box) (StringInfo out, int place, const Box *box);
	void		(*more) (StringInfo out, const char *name, const char *text);
	void		(*link) (StringInfo out, const char *from, const char *to,
						 LinkSort sort, const char *role);
	const char *tail;
} Printer;

static const char opaque_label[] = "not readable";
static const char current_label[] = "current in Production";

/* Shapes by kind, the last for all other kinds. */
static const struct
{
	const char *kind;
	const char *dot;
	const char *mermaid_open;
	const char *mermaid_close;
}			shapes[] = {
	{"snapshot", "cylinder", "[(", ")]"},
	{"transform", "hexagon", "{{", "}}"},
	{"commit", "note", ">", "]"},
	{MR_NODE_KIND_RUN, "oval", "([", "])"},
	{MR_NODE_KIND_VERSION, "box3d", "[[", "]]"},
	{NULL, "box", "[", "]"}
};

static int
shape_of(const Box *box)
{
	int			i = 0;

	while (shapes[i].kind != NULL &&
		   (box->address == NULL || strcmp(shapes[i].kind, box->node.kind) != 0))
		i++;
	return i;
}

/*
 * A quoted string of DOT, in which a backslash begins an escape and an
 * ampersand an entity.
 */
static void
append_dot_text(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '&')
			appendStringInfoString(out, "&amp;");
		else
		{
			if (*text == '"' || *text == '\\')
				appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, *text);
		}
	}
}

static void
print_dot_box(StringInfo out, int place, const Box *box)
{
	appendStringInfo(out, "\tn%d [shape=%s, label=\"", place,
					 shapes[shape_of(box)].dot);
	append_dot_text(out, box->address == NULL ? opaque_label : box->address);
	if (box->is_current)
		appendStringInfo(out, "\\n%s", current_label);
	appendStringInfoChar(out, '"');
	if (box->address == NULL)
		appendStringInfoString(out, ", style=filled, color=gray, fontcolor=gray40, fillcolor=gray90");
	if (box->is_start)
		appendStringInfoString(out, ", penwidth=3");
	if (box->is_current)
		appendStringInfoString(out, ", style=filled, fillcolor=palegreen");
	appendStringInfoString(out, "];\n");
}

static void
print_dot_more(StringInfo out, const char *name, const char *text)
{
	appendStringInfo(out, "\t%s [shape=plaintext, label=\"%s\"];\n", name, text);
}

static void
print_dot_link(StringInfo out, const char *from, const char *to, LinkSort sort,
			   const char *role)
{
	static const char *const styles[] = {
		[LINK_SUPERSEDED] = "label=\"superseded by\", style=dashed",
		[LINK_UNREADABLE] = "color=gray, dir=none",
		[LINK_MORE] = "style=dotted, dir=none"
	};

	appendStringInfo(out, "\t%s -> %s [", from, to);
	if (sort == LINK_INPUT)
		appendStringInfo(out, "label=\"%s\"", role);
	else
		appendStringInfoString(out, styles[sort]);
	appendStringInfoString(out, "];\n");
}

static const Printer dot = {
	"digraph lineage {\n\trankdir=LR;\n", print_dot_box, print_dot_more,
	print_dot_link, "}\n"
};

/* A letter, digit or sign that means nothing in Mermaid. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || strchr(" ._:/@+-", c) != NULL;
}

/*
 * A quoted string of Mermaid, in which numbers of code points stand for all
 * but a few characters: quotes, tags, Markdown, comments and directives have
 * no way in.
 */
static void
append_mermaid_text(StringInfo out, const char *text)
{
	while (*text != '\0')
	{
		int			len = pg_mblen(text);

		if (len == 1 && is_plain(*text))
			appendStringInfoChar(out, *text);
		else
			appendStringInfo(out, "#%u;", len == 1 ? (unsigned char) *text :
							 utf8_to_unicode((const unsigned char *) text));
		text += len;
	}
}

static void
print_mermaid_box(StringInfo out, int place, const Box *box)
{
	int			shape = shape_of(box);

	appendStringInfo(out, "\tn%d%s\"", place, shapes[shape].mermaid_open);
	append_mermaid_text(out, box->address == NULL ? opaque_label : box->address);
	if (box->is_current)
		appendStringInfo(out, "<br/>%s", current_label);
	appendStringInfo(out, "\"%s\n", shapes[shape].mermaid_close);
	if (box->address == NULL)
		appendStringInfo(out, "\tstyle n%d fill:#e5e5e5,stroke:#bebebe,color:#666666\n", place);
	if (box->is_start || box->is_current)
		appendStringInfo(out, "\tstyle n%d %s%s%s\n", place,
						 box->is_start ? "stroke-width:3px" : "",
						 box->is_start && box->is_current ? "," : "",
						 box->is_current ? "fill:#98fb98" : "");
}

static void
print_mermaid_more(StringInfo out, const char *name, const char *text)
{
	appendStringInfo(out, "\t%s[\"%s\"]\n", name, text);
}

static void
print_mermaid_link(StringInfo out, const char *from, const char *to,
				   LinkSort sort, const char *role)
{
	static const char *const arrows[] = {
		[LINK_SUPERSEDED] = "-. superseded by .->",
		[LINK_UNREADABLE] = "---",
		[LINK_MORE] = "-.-"
	};

	if (sort == LINK_INPUT)
		appendStringInfo(out, "\t%s -->|\"%s\"| %s\n", from, role, to);
	else
		appendStringInfo(out, "\t%s %s %s\n", from, arrows[sort], to);
}

static const Printer mermaid = {
	"flowchart LR\n", print_mermaid_box, print_mermaid_more, print_mermaid_link, ""
};

/* Add a node; the first is the start. */
static void
add_box(Drawing *drawing, int64 id, int64 team)
{
	bool		found;
	Place	   *place = hash_search(drawing->places, &id, HASH_ENTER, &found);
	Box		   *box;

	if (found)
		return;
	place->place = drawing->n;
	drawing->boxes = mr_grow(drawing->boxes, drawing->n, &drawing->room, sizeof(Box));
	box = &drawing->boxes[drawing->n++];
	memset(box, 0, sizeof(Box));
	box->node.id = id;
	box->node.team = team;
	box->is_start = drawing->n == 1;
}

static bool
visit(const MrWalkStep *step, void *arg)
{
	Drawing    *drawing = arg;

	if (drawing->nvisited++ < drawing->max_nodes)
		add_box(drawing, step->node, step->team);
	return true;
}

/* Read a node's row; its name only if the caller may. */
static void
fill_box(Drawing *drawing, MrNodeReader *nodes, Box *box)
{
	const MrTeam *team = mr_team_by_id(box->node.team);
	char	   *team_name = team == NULL ? NULL : pstrdup(team->name);
	int64		id = box->node.id;
	MrVersionName version;

	if (!mr_node_read(nodes, id, &box->node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	if (team_name == NULL)
		return;
	if (strcmp(box->node.kind, MR_NODE_KIND_VERSION) != 0)
	{
		box->address = mr_node_address(&box->node, drawing->snapshot);
		return;
	}
	mr_describe_version(team_name, pg_strtoint64(box->node.name),
						pg_strtoint32(box->node.version), drawing->snapshot,
						&version);
	box->address = version.address;
	box->is_current = version.is_current;
}

static void
draw_boxes(Drawing *drawing)
{
	MrNodeReader *nodes = mr_node_reader_open(drawing->snapshot);

	for (int i = 0; i < drawing->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		fill_box(drawing, nodes, &drawing->boxes[i]);
		drawing->printer->box(&drawing->out, i, &drawing->boxes[i]);
	}
	mr_node_reader_close(nodes);
}

static char *
box_name(int place)
{
	return psprintf("n%d", place);
}

/* Draw a link to a box from a node, if that is drawn too. */
static void
draw_link(Drawing *drawing, int64 from, int to, LinkSort sort, const char *role)
{
	Place	   *place = hash_search(drawing->places, &from, HASH_FIND, NULL);

	if (place != NULL)
		drawing->printer->link(&drawing->out, box_name(place->place),
							   box_name(to), sort, role);
}

/* The inputs of a node, a link for each role; without roles one for each. */
static void
draw_inputs(Drawing *drawing, MrTable *edges, int place)
{
	const Box  *box = &drawing->boxes[place];
	Datum		key = Int64GetDatum(box->node.id);
	MrScan	   *scan = mr_scan_begin(edges, "edge_up", 1, &key, drawing->snapshot);
	int64		last = 0;

	while (mr_scan_next(scan, false))
	{
		int64		parent = DatumGetInt64(mr_table_get(edges, EDGE_PARENT, NULL));

		CHECK_FOR_INTERRUPTS();
		if (box->address != NULL)
			draw_link(drawing, parent, place, LINK_INPUT,
					  TextDatumGetCString(mr_table_get(edges, EDGE_ROLE, NULL)));
		else if (parent != last)
			draw_link(drawing, parent, place, LINK_UNREADABLE, NULL);
		last = parent;
	}
	mr_scan_end(scan);
}

static void
draw_links(Drawing *drawing)
{
	MrTable    *edges = mr_table_open_read("edge");

	for (int i = 0; i < drawing->n; i++)
	{
		const Box  *box = &drawing->boxes[i];

		draw_inputs(drawing, edges, i);
		if (box->node.supersedes != 0)
			draw_link(drawing, box->node.supersedes, i, box->address == NULL ?
					  LINK_UNREADABLE : LINK_SUPERSEDED, NULL);
	}
	mr_table_close(edges);
}

/* Walk in one direction; what is too much to draw is told by its number. */
static void
collect(Drawing *drawing, MrDirection direction, int32 max_depth)
{
	bool		up = direction == MR_UPSTREAM;
	const char *name = up ? "more_upstream" : "more_downstream";
	MrNode		start = drawing->boxes[0].node;
	MrWalkOptions options = {.direction = direction,
		.snapshot = drawing->snapshot,.max_depth = max_depth};
	int64		more;

	drawing->nvisited = 0;
	(void) mr_walk_from(&start, &options, NULL, visit, drawing);
	more = drawing->nvisited - drawing->max_nodes;
	if (more <= 0)
		return;
	drawing->printer->more(&drawing->out, name,
						   psprintf("... " INT64_FORMAT " more %s", more,
									up ? "upstream" : "downstream"));
	drawing->printer->link(&drawing->out, up ? name : box_name(0),
						   up ? box_name(0) : name, LINK_MORE, NULL);
}

static int32
depth_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		return MR_NO_DEPTH_LIMIT;
	if (PG_GETARG_INT32(n) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative: %d", name, PG_GETARG_INT32(n)),
				 mr_reason("invalid_depth")));
	return PG_GETARG_INT32(n);
}

static int
max_nodes_arg(FunctionCallInfo fcinfo, int n)
{
	int32		max_nodes;

	mr_arg_require(fcinfo, n, "max_nodes");
	max_nodes = PG_GETARG_INT32(n);
	if (max_nodes < 1 || max_nodes > MAX_NODES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_nodes must be from 1 to %d: %d", MAX_NODES, max_nodes),
				 mr_reason("invalid_max_nodes")));
	return max_nodes;
}

static HTAB *
make_places(void)
{
	HASHCTL		control = {.keysize = sizeof(int64),.entrysize = sizeof(Place),
	.hcxt = CurrentMemoryContext};

	return hash_create("modelreg places", 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Datum
draw(FunctionCallInfo fcinfo, const Printer *printer)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");
	int32		up = depth_arg(fcinfo, 1, "upstream_depth");
	int32		down = depth_arg(fcinfo, 2, "downstream_depth");
	Drawing		drawing = {.snapshot = GetActiveSnapshot(),.printer = printer,
	.max_nodes = max_nodes_arg(fcinfo, 3)};
	MrNode		start;

	mr_node_load(address, drawing.snapshot, &start);
	drawing.places = make_places();
	initStringInfo(&drawing.out);
	appendStringInfoString(&drawing.out, printer->head);
	add_box(&drawing, start.id, start.team);
	drawing.boxes[0].node = start;
	collect(&drawing, MR_UPSTREAM, up);
	collect(&drawing, MR_DOWNSTREAM, down);
	draw_boxes(&drawing);
	draw_links(&drawing);
	appendStringInfoString(&drawing.out, printer->tail);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(drawing.out.data, drawing.out.len));
}

/*
 * modelreg.lineage_dot(node text, upstream_depth integer,
 *		downstream_depth integer, max_nodes integer) returns text for Graphviz
 *
 * Errors: 22023 and 22004 for arguments, 42704 for a node that is not there
 * or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_lineage_dot(PG_FUNCTION_ARGS)
{
	return draw(fcinfo, &dot);
}

/* modelreg.lineage_mermaid(): the same for Mermaid. */
Datum
modelreg_lineage_mermaid(PG_FUNCTION_ARGS)
{
	return draw(fcinfo, &mermaid);
}
