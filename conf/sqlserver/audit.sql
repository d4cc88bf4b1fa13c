/* A server audit that querytrail can join and trust. Read every line before you run it; names and paths are yours.
 *
 * QUEUE_DELAY   how late a record may reach the file: querytrail's watermark follows it.
 * ON_FAILURE    CONTINUE loses records when the disk is full; FAIL_OPERATION refuses the audited statement instead. An auditor will ask.
 * MAX_ROLLOVER_FILES keeps old files long enough for the collector to be away: size it for a weekend.
 */
USE master;
CREATE SERVER AUDIT querytrail
    TO FILE (FILEPATH = N'D:\audit\', MAXSIZE = 100 MB, MAX_ROLLOVER_FILES = 200, RESERVE_DISK_SPACE = OFF)
    WITH (QUEUE_DELAY = 1000, ON_FAILURE = CONTINUE)
    WHERE server_principal_name <> N'querytrail_collector'; /* else each read audits itself */

CREATE SERVER AUDIT SPECIFICATION querytrail_server
    FOR SERVER AUDIT querytrail
    ADD (BATCH_COMPLETED_GROUP),          /* every batch once, with rows and duration */
    ADD (SUCCESSFUL_LOGIN_GROUP),         /* also fires when a pooled connection is reused: it ends a context */
    ADD (LOGOUT_GROUP),
    ADD (FAILED_LOGIN_GROUP),
    ADD (USER_DEFINED_AUDIT_GROUP),       /* sp_audit_write: the second best carrier of the request id */
    ADD (AUDIT_CHANGE_GROUP),
    ADD (SERVER_ROLE_MEMBER_CHANGE_GROUP),
    ADD (SERVER_PRINCIPAL_CHANGE_GROUP),
    ADD (DATABASE_PERMISSION_CHANGE_GROUP),
    ADD (DATABASE_ROLE_MEMBER_CHANGE_GROUP)
    WITH (STATE = ON);

ALTER SERVER AUDIT querytrail WITH (STATE = ON);

/* In each database: object names for the schemas that matter. */
-- USE Shop;
-- CREATE DATABASE AUDIT SPECIFICATION querytrail_shop
--     FOR SERVER AUDIT querytrail
--     ADD (SELECT, INSERT, UPDATE, DELETE, EXECUTE ON SCHEMA::crm BY public)
--     WITH (STATE = ON);
