// What a BI tool does, through pgjdbc: BiTool URL. Every column of every view as the driver describes it, and filtered by one of
// its own values as a parameter of its JDBC type, Strings being varchar. Prints what is wrong, and at the end how many queries ran.

import java.sql.*;
import java.util.*;

public class BiTool {
	// These count up to the present while something serves: no value of theirs is found again.
	static final Set<String> GROWING = Set.of("served_seconds", "share_seconds");
	static int queries = 0;
	static Connection connection;

	static void wrong(String where, String what) {
		System.out.println(where + ": " + what);
	}

	// Six times, so that the server tries a generic plan and the driver its binary format.
	static long count(String sql, Object... parameters) throws SQLException {
		long found = -1;
		queries++;
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			for (int i = 0; i < parameters.length; i++)
				statement.setObject(i + 1, parameters[i]);
			for (int n = 0; n < 6; n++)
				try (ResultSet rows = statement.executeQuery()) {
					rows.next();
					if (n > 0 && found != rows.getLong(1))
						wrong(sql, "another answer the next time");
					found = rows.getLong(1);
				}
		}
		return found;
	}

	static void expect(String where, String view, String condition, long expected, Object... parameters) throws SQLException {
		long found = count("SELECT count(*) FROM modelreg." + view + " WHERE " + condition, parameters);
		if (found != expected)
			wrong(where, condition + " finds " + found + " rows, not " + expected);
	}

	static Class<?> wanted(int type) {
		switch (type) {
			case Types.VARCHAR: return String.class;
			case Types.BIGINT: return Long.class;
			case Types.INTEGER: return Integer.class;
			case Types.DOUBLE: return Double.class;
			case Types.BIT: return Boolean.class;
			case Types.TIMESTAMP: return Timestamp.class;
			case Types.OTHER: return Object.class;	// jsonb
			default: return null;
		}
	}

	static void checkColumn(String view, String column, int type, List<Object> values) throws SQLException {
		String where = view + "." + column, quoted = '"' + column + '"';
		Class<?> wanted = wanted(type);
		if (wanted == null) {
			wrong(where, "has JDBC type " + type);
			return;
		}
		for (Object value : values)
			if (!wanted.isInstance(value))
				wrong(where, "arrives as " + value.getClass());
		if (values.isEmpty() || type == Types.OTHER || GROWING.contains(column))
			return;
		Object value = values.get(0);
		long expected = values.stream().filter(value::equals).count();
		expect(where, view, quoted + " = ?", expected, value);
		expect(where, view, quoted + " IN (?, ?)", expected, value, value);
		expect(where, view, quoted + " BETWEEN ? AND ?", expected, value, value);
		if (type == Types.VARCHAR) {
			String pattern = ((String) value).replaceAll("([\\\\%_])", "\\\\$1");
			expect(where, view, quoted + " LIKE ?", expected, pattern);
			expect(where, view, "concat(" + quoted + ", ?) = ? || ?", expected, "-", value, "-");
			expect(where, view, quoted + " = ANY (?)", expected, connection.createArrayOf("varchar", new Object[] { value }));
		}
		if (type == Types.TIMESTAMP)
			expect(where, view, quoted + " = ?", expected, ((Timestamp) value).toInstant().atOffset(java.time.ZoneOffset.UTC));
	}

	static void checkView(String view) throws SQLException {
		List<List<Object>> values = new ArrayList<>();
		try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM modelreg." + view + " WHERE ? = 'x'")) {
			statement.setString(1, "x");
			ResultSetMetaData columns = statement.getMetaData();
			for (int i = 0; i < columns.getColumnCount(); i++)
				values.add(new ArrayList<>());
			try (ResultSet rows = statement.executeQuery()) {
				while (rows.next())
					for (int i = 0; i < values.size(); i++)
						if (rows.getObject(i + 1) != null) {
							values.get(i).add(rows.getObject(i + 1));
							if (rows.getString(i + 1).contains("zebra"))
								wrong(view, "rows of a team that may not be read");
						}
			}
			for (int i = 0; i < values.size(); i++)
				checkColumn(view, columns.getColumnName(i + 1), columns.getColumnType(i + 1), values.get(i));
		}
	}

	public static void main(String[] arguments) throws SQLException {
		connection = DriverManager.getConnection(arguments[0]);
		List<String> views = new ArrayList<>();
		try (ResultSet tables = connection.getMetaData().getTables(null, "modelreg", "%", new String[] { "VIEW" })) {
			while (tables.next())
				views.add(tables.getString("TABLE_NAME"));
		}
		for (String view : views)
			try {
				checkView(view);
			} catch (SQLException error) {
				wrong(view, error.getSQLState() + " " + error.getMessage());
			}
		System.out.println(queries + " queries of " + views.size() + " views");
	}
}
