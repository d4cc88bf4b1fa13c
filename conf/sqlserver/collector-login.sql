/* The login of querytrail-collect. It reads audit files and asks how the audit is set up; nothing else. */
USE master;
CREATE LOGIN querytrail_collector WITH PASSWORD = N'CHANGE THIS', CHECK_POLICY = ON;

/* SQL Server 2022 and later: */
GRANT VIEW SERVER SECURITY AUDIT TO querytrail_collector;

/* Up to 2019 sys.fn_get_audit_file needs CONTROL SERVER, which is far too much for a collector: use a signed procedure or run the
 * collector where that right is watched. On Amazon RDS use adapter: rds and grant this instead:
 *   USE msdb; CREATE USER querytrail_collector FOR LOGIN querytrail_collector;
 *   GRANT SELECT ON dbo.rds_fn_get_audit_file TO querytrail_collector;
 */
